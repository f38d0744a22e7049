#!/bin/bash
# timeout(1): the child execs, the parent watches the clock and passes on
# signals and statuses.
. "$(dirname "$0")/lib.sh"
needs timeout
suite_forks_by timeout
# Newer ones (coreutils 9.10) handle SIGSYS, too; then the fork is real.
caught=$(timeout 30 awk '/^PPid:/ { p = $2 }
	END { while (getline <("/proc/" p "/status"))
		if ($1 == "SigCgt:") print $2 }' /proc/self/status)
[ $((0x$caught >> 30 & 1)) = 0 ] || suite_asks_lazy=no

want 'exited 7' 'ended by itself'
compare "a command that ends" -l timeout -- \
	timeout 30 sh -c 'echo ended by itself; exit 7'
want 'exited 124'
compare "a command that does not" -l timeout -- timeout 0.2 sleep 60
want 'exited 15'
compare "--preserve-status" -l timeout -- timeout --preserve-status 0.2 \
	sh -c 'exec 2>/dev/null; trap "exit 15" TERM; while :; do sleep 0.01; done'
want 'exited 137'
compare "--kill-after" -o -- sh -c \
	'timeout -k 0.2 0.2 sh -c "trap : TERM; while :; do sleep 0.01; done" 2>/dev/null'
want 'exited 127' 'No such file'
compare "not found" -- timeout 30 /nonexistent/program
want 'exited 126' 'Permission denied'
compare "not executable" -- timeout 30 /etc/passwd
want 'exited 0' '^self'
compare "what a child has open" -l timeout -- timeout 30 "$LOOK" both
want 'exited 0' '^fg'
compare "--foreground, in a pipeline" -l timeout -- \
	sh -c 'echo fg | timeout --foreground 30 cat'
want 'exited 143'
compare "a signal is passed on" -- sh -c \
	'timeout -v 60 sh -c "sleep 0.2; kill \$PPID; exec sleep 60"; exit $?'
want 'exited 0' '^50$'
compare "many, one after the other" -l timeout -- sh -c \
	'for i in $(seq 50); do timeout 30 echo $i; done'

suite_end
