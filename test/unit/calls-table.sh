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

# No other list: who names a call by its number names it for one thing, which
# is said here. A file without a line names none; a call, none but its own.
may_name='
arch/x86_64/arch_cpu.h	arch_prctl	other processors have no such call
calls/request.c		fork clone clone3	have arguments of their own
cli/process.c		openat2	libc has no function for it
lazy/child/call_ask.c	pselect6	its mask is behind a pointer
lazy/child/call_fd.c	dup dup3 epoll_create1 eventfd2 socketpair	what they make is
lazy/child/call_io.c	write pwrite64	take what has to be there at once
lazy/child/call_process.c	exit	ends its thread alone
lazy/child/call_process.c	setpgid setpriority ioprio_set	say who is meant
lazy/child/mediator.c	rt_sigreturn	tells nothing of signals
lend/child/fenced.c	setrlimit prlimit64	the resource lies elsewhere
preload/fork.c		clone clone3	as calls/request.c
preload/fork.c		process_madvise rt_sigaction	have names of their own
host/signals.c		rt_sigprocmask	asks for memory, by another register of keys
preload/heirs.c		rt_sigprocmask	asks for memory, where a mediator sees it
preload/lend.c		prctl setns	by their names
preload/spawn.c		clone	asks the kernel for an error
preload/wait.c		wait4 waitid	a wait by syscall() stays one
host/sandbox.c		prctl seccomp	filters lie elsewhere
host/sys.h		futex_waitv mseal	what old headers lack
'
while read -r file names; do
	for name in $names; do
		grep -qE "\b(SYS|__NR)_$name\b" "$src/$file" 2>/dev/null &&
			echo "$file $name"
	done
done <<<"$may_name" | sort >/tmp/calls.$$
grep -roE '\b(SYS|__NR)_[a-z][a-z0-9_]*' "$src" --include='*.[chS]' |
	sed -E "s|^$src/||; s/:(SYS|__NR)_/ /" | sort -u >/tmp/rows.$$
lists=$(comm -13 /tmp/calls.$$ /tmp/rows.$$)
rm -f /tmp/calls.$$ /tmp/rows.$$
[ -z "$lists" ] || {
	echo "calls are told apart outside of the table:"
	echo "$lists"
	bad=1
}
exit $bad
