#!/bin/bash
# The table of system calls against the kernel's own list, and against lists
# of calls elsewhere in the sources.
set -u
src=$(cd "$(dirname "$0")/../../src" && pwd)
bad=0

rows() {
	sed -n 's/^FF_CALL(\([0-9]*\), \([a-z0-9_]*\),.*/\1 \2/p' \
		"$src/calls/calls.def"
}

# Every number of the headers has its row, under its name.
echo '#include <asm/unistd.h>' | ${CC:-cc} -E -dM - |
	sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/\2 \1/p' |
	grep -v ' syscalls$' | sort >/tmp/calls.$$
[ "$(wc -l </tmp/calls.$$)" -gt 300 ] || {
	echo "the headers' list can't be read"
	bad=1
}
rows | sort >/tmp/rows.$$
without=$(comm -23 /tmp/calls.$$ /tmp/rows.$$)
rm -f /tmp/calls.$$ /tmp/rows.$$
[ -z "$without" ] || {
	echo "calls without a row in calls.def:"
	echo "$without"
	bad=1
}

# Rows are sorted, one a number, one a name.
rows | sort -n -C -u -k1,1 || { echo "rows are not in order"; bad=1; }
[ -z "$(rows | cut -d' ' -f2 | sort | uniq -d)" ] || { echo "twice"; bad=1; }

# No other list: numbers of calls elsewhere are there for one call each.
#  calls/request.c	the three that fork have arguments of their own
#  lazy/child/call_*.c	one look for several calls tells them apart
#  lazy/child/mediator.c	rt_sigreturn alone tells nothing of signals
#  lend/child/fenced.c	setrlimit and prlimit64 have the resource elsewhere
#  preload/fork.c	as calls/request.c
#  preload/lend.c	prctl by its name
#  preload/spawn.c	asks the kernel for an error
#  preload/wait.c	a wait by syscall() stays one
#  host/sandbox.c	prctl and seccomp have filters elsewhere
#  host/sys.h	the macro that makes calls
allowed='calls/request\.c|lazy/child/(mediator|call_(ask|fd|io|process))\.c'
allowed+='|lend/child/fenced\.c'
allowed+='|preload/(fork|lend|spawn|wait)\.c|host/sandbox\.c|host/sys\.h'
lists=$(grep -rnE '\bSYS_[a-z]' "$src" --include='*.[chS]' |
	sed "s|^$src/||" | grep -vE "^($allowed):")
[ -z "$lists" ] || {
	echo "calls are told apart outside of the table:"
	echo "$lists"
	bad=1
}
# ... and no array or switch of them in those, either.
lists=$(grep -rnE '(case SYS_[a-z]|^[[:space:]]*SYS_[a-z0-9_]*,)' "$src" \
	--include='*.[chS]' | sed "s|^$src/||" | grep -v '^calls/request\.c:')
[ -z "$lists" ] || {
	echo "lists of calls outside of the table:"
	echo "$lists"
	bad=1
}
exit $bad
