#!/bin/bash
# gcc: the driver starts its passes by libiberty's pex, which vforks; so do
# ld's plugin and lto-wrapper.
. "$(dirname "$0")/lib.sh"
needs gcc
suite_forks_by gcc

suite_file a.c <<'X'
#include <stdio.h>
int b(int);
int main(void) { printf("compiled %d\n", b(20)); return b(1) != 3; }
X
suite_file b.c <<'X'
int b(int n) { return n * 2 + 1; }
X
suite_file bad.c <<'X'
int main(void) { return undeclared; }
X

# not what it leaves: object files name their temporary files
suite_file build.sh <<'X'
"$@" "$P/a.c" "$P/b.c" -o prog || exit; ./prog
"$@" -c "$P/b.c" -o b.o && ls b.o
rm -f b.o prog
X
for how in "" "-pipe" "-flto" "-O2 -g -pipe"; do
	want 'exited 0' 'compiled 41'
	# shellcheck disable=SC2086 # words
	compare "gcc${how:+ $how}" -- sh "$P/build.sh" gcc $how
done
want 'exited 1' 'undeclared'
compare "an error" -- gcc -c "$P/bad.c"
want 'exited 1' 'undefined reference'
compare "an error of ld" -f 's|cc[A-Za-z0-9]{6}|CC|g' -- gcc "$P/a.c" -o x
want 'exited 1' 'No such file'
compare "a file that is not there" -- gcc -pipe -c "$P/none.c"
want 'exited 1' 'nonexistent/wrapper'
compare "a pass that is not there" -- gcc -wrapper /nonexistent/wrapper \
	-c "$P/b.c"

suite_end
