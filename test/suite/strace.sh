#!/bin/bash
# strace: vforks children that find out what ptrace can do, and one that
# becomes the program.
. "$(dirname "$0")/lib.sh"
needs strace
suite_forks_by strace
if ! strace -qq -e trace=none true 2>/dev/null; then
	echo "skip: strace can't trace here"
	exit 77
fi

want 'exited 5' 'exited with 5'
compare "a program" -- strace -e trace=exit_group sh -c 'exit 5'
want 'exited 0' 'grandchild'
compare "-f" -- strace -qqq -f -e trace=none -e signal=none \
	sh -c 'sh -c "echo grandchild; exit 3"; true'
want 'exited 1' 'nonexistent'
compare "a program that is not there" -- strace /nonexistent/program

suite_end
