#!/bin/bash
# rsync: a local copy forks a server that never execs and talks with it; -e
# starts a remote shell, here a program that only runs its arguments.
. "$(dirname "$0")/lib.sh"
needs rsync
suite_forks_by rsync
make_tree() {
	mkdir -p from/sub
	for i in 1 2 3 4 5 6; do seq $((i * 3000)) >"from/sub/f$i"; done
	ln -s f1 from/sub/link; chmod 640 from/sub/f2
	mkdir to; seq 100 >to/extra
	# or chance decides whether both were made in the same second
	touch -d '2001-02-03 04:05:06' from from/sub to
}
printf '#!/bin/sh\nshift\nexec sh -c "$*"\n' | suite_file fake-ssh

want 'exited 0'
compare "a local copy" -s make_tree -- rsync -a --delete from/ to/
want 'exited 0' 'sub/f3'
compare "a local copy, itemised" -s make_tree -- \
	rsync -ai --delete --no-whole-file from/ to/
want 'exited 0'
compare "through a remote shell" -s make_tree -- \
	rsync -az -e "$P/fake-ssh" from/ host:to/
compare "again, nothing to do" -s make_tree -- sh -c \
	'rsync -a from/ to/; rsync -ai --checksum from/ to/'
want 'exited 23' 'No such file'
compare "a source that is not there" -s make_tree -- rsync -a nothing/ to/
# Which side notices first, and so the status, is a race in plain.
want 'exited 0' 'Failed to exec'
compare "a remote shell that is not there" -o -s make_tree -- \
	sh -c 'rsync -a -e /nonexistent/ssh from/ host:to/ >said 2>&1 &&
	echo worked; grep "Failed to exec" said; rm said'

suite_end
