#!/bin/bash
# tar: compressors and --to-command are forked; without a suffix it knows, a
# compressor talks through a second child of tar that never execs.
. "$(dirname "$0")/lib.sh"
needs tar gzip
suite_forks_by tar
make_tree() {
	mkdir -p tree/sub
	for i in 1 2 3 4 5 6; do seq $((i * 3000)) >"tree/sub/f$i"; done
	tar --sort=name --mtime=@1700000000 -cf in.tar tree
	gzip -n -k in.tar
}

want 'exited 0'
# The child creates the archive before it execs: one fork, one trial, no lazy.
compare "-z, creating" -s make_tree -- tar --sort=name \
	--mtime=@1700000000 --use-compress-program='gzip -n' -cf out.tgz tree
want 'exited 0' 'tree/sub/f6'
compare "-z, listing" -l tar -s make_tree -- tar -tzf in.tar.gz
compare "-z, extracting" -l tar -s make_tree -- sh -c \
	'mkdir x && tar -xzf in.tar.gz -C x && find x | sort'
want 'exited 0' 'f6 18000'
compare "--to-command" -l tar -s make_tree -- tar -xf in.tar \
	--to-command='echo ${TAR_FILENAME##*/} $(wc -l)'
compare "-z from a pipe to a pipe" -l tar -s make_tree -- sh -c \
	'cat in.tar.gz | tar -xzf - -O | sha256sum
	tar --sort=name --mtime=@1700000000 -I "gzip -n" -cf - tree | sha256sum'
want 'exited 2' 'Child returned status 5'
compare "--to-command that fails" -l tar -s make_tree \
	-f 's/^(tar: )[0-9]+:/\1PID:/' -- \
	tar -xf in.tar --to-command='cat >/dev/null; exit 5'
want 'exited 2' 'not found|Cannot exec'
compare "a compressor that is not there" -s make_tree -x './out.tgz' -- \
	tar --use-compress-program=/nonexistent/gzip -cf out.tgz tree
want 'exited 2' 'not in gzip format'
compare "a compressor that fails" -l tar -s make_tree -- tar -xzf tree/sub/f1
want 'exited 0' 'checked at'
compare "--checkpoint-action=exec" -l tar -s make_tree -- \
	tar -cf /dev/null --checkpoint=5 \
	--checkpoint-action='exec=echo checked at $TAR_CHECKPOINT' tree
compare "what a compressor has open" -l tar -s make_tree -- \
	tar -xf in.tar --to-command="$LOOK self; cat >/dev/null" tree/sub/f1

suite_end
