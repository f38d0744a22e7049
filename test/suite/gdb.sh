#!/bin/bash
# gdb: starts its program, and the shell that starts it, by vfork: the child
# sets up groups, terminal and ptrace before exec.
. "$(dirname "$0")/lib.sh"
needs gdb gcc
suite_forks_by gdb
suite_env=(DEBUGINFOD_URLS='' HISTFILE='')

suite_file crash.c <<'X'
#include <stdio.h>
__attribute__((noinline)) void crashes(volatile int *p) { *p = 1; }
int main(int argc, char **argv)
{
	printf("%d arguments %s\n", argc, argc > 1 ? argv[1] : "");
	fflush(stdout);
	if (argc > 2)
		return 7;
	crashes((int *)8);
	return 0;
}
X
gcc -g -O0 -o "$P/crash" "$P/crash.c" || exit 1
filter='s/0x[0-9a-f]+/ADDR/g; s/process [0-9]+/process N/'
filter+='; /^warning|debuginfod|libthread_db/d'

# a sandbox may forbid ptrace: nothing to see then
if ! gdb -nx -batch -ex run --args "$P/crash" a b 2>&1 |
    grep -q 'exited with code 07'; then
	echo "skip: gdb can't run a program here"
	exit 77
fi

want 'exited 0' 'crashes'
compare "run and bt" -f "$filter" -- gdb -nx -batch -ex run -ex bt \
	--args "$P/crash" one
want 'exited 0' 'code 07'
compare "run twice" -f "$filter" -- gdb -nx -batch -ex run -ex run \
	--args "$P/crash" one 'two words'
want 'exited 0' 'Breakpoint 1, '
compare "without a shell" -f "$filter" -- gdb -nx -batch \
	-ex 'set startup-with-shell off' -ex 'break crashes' -ex run \
	-ex 'info args' -ex kill --args "$P/crash"
want 'exited 0' 'shell 3'
compare "shell" -f "$filter" -- gdb -nx -batch -ex 'shell exit 3' \
	-ex 'printf "shell %d\n", $_shell_exitcode' -ex '!echo from the shell'
want 'exited 1' 'No executable|not found'
compare "a program that goes away" -f "$filter" -- sh -c \
	'cp "$P/crash" gone; gdb -nx -batch -ex "shell rm gone" -ex run gone'

suite_end
