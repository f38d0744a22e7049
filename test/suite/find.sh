#!/bin/bash
# find: -exec, -execdir and their + forms fork, change directory, exec.
. "$(dirname "$0")/lib.sh"
needs find
suite_forks_by find

make_tree() {
	for d in a b c; do
		mkdir -p "$d/deep er"
		for i in 1 2 3 4 5; do echo "$d$i" >"$d/deep er/f$i.txt"; done
	done
}

want 'exited 0' 'a/deep er/f1.txt'
compare "-exec ;" -l find -s make_tree -f '/f[0-9]/s/^/x/' -- \
	find a -name '*.txt' -exec echo found {} \;
compare "-exec +" -l find -s make_tree -- \
	find a b c -name '*.txt' -exec sh -c 'echo $# files' sh {} +
want 'exited 0' 'deep er'
compare "-execdir" -l find -s make_tree -- \
	find . -name 'f3.txt' -execdir pwd \; -execdir cat {} \;
compare "the status decides" -l find -s make_tree -- \
	find a b c -name '*.txt' -exec grep -q 3 {} \; -print -exec rm {} \;
want 'exited 1'
compare "-exec + keeps a failure" -l find -s make_tree -- \
	find a b c -type f -exec sh -c 'exit 3' sh {} +
want 'exited 0' 'No such file'
compare "a program that is not there" -s make_tree -- \
	find a -name 'f*.txt' -exec /nonexistent/program {} \;
compare "-ok, and what a child has open" -l find -s make_tree -- sh -c '
	yes | find a -name "f1.txt" -ok echo {} \; 2>&1
	find b -name "f[12].txt" -exec "$LOOK" both \;
	find b -name "f[12].txt" -execdir "$LOOK" both \;'
compare "a thousand children" -l find -t 100 -s make_tree -- \
	find /usr/share/perl5 /usr/share/doc -maxdepth 1 -exec test -d {} \;

suite_end
