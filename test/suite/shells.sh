#!/bin/bash
# Other shells: ksh93 vforks and spawns, tcsh, zsh and mksh fork.
. "$(dirname "$0")/lib.sh"

suite_file all.sh <<'X'
i=0; while [ $i -lt 6 ]; do
	i=$((i + 1))
	/bin/echo "command $i"; /bin/sh -c "exit $i"; echo $?
	/bin/echo "pipe $i" | /bin/cat | tr a-z A-Z
	a=$(/bin/echo sub $i); (exit $i); echo "$? $a"
	/nonexistent/program 2>/dev/null; echo $?
	x=1 /bin/sh -c 'echo $x'
	/bin/sh -c "exit $i" & wait $!; echo $?
	(exec /bin/echo replaced); (cd /; /bin/pwd)
	/bin/echo out >f; /bin/cat <f
done
{ /bin/echo group; echo two; } | wc -l
trap 'echo usr1' USR1; sh -c 'kill -USR1 $PPID'; true
"$LOOK" self
X
# numbers of jobs, and of the terminal: others open some meanwhile
tty='s/\r//g; /^\[[0-9]+\]/d; s,/dev/pts/[0-9]+,/dev/pts/N,g'
for shell in ksh93 zsh mksh; do
	command -v "$shell" >/dev/null || continue
	# the signal may end ksh93's wait before the child has ended
	orphans=()
	[ "$shell" != ksh93 ] || orphans=(-o)
	want 'exited 0' 'PIPE 6'
	compare "$shell" "${orphans[@]}" -- "$shell" "$P/all.sh"
	want 'exited 0' 'PIPE 6'
	compare "$shell -m on a terminal" "${orphans[@]}" -f "$tty" -- \
		script -qec "$shell -m $P/all.sh" /dev/null
done

suite_file all.csh <<'X'
foreach i (1 2 3 4 5 6)
	/bin/echo "command $i"; /bin/sh -c "exit $i"; echo $status
	/bin/echo "pipe $i" | /bin/cat | tr a-z A-Z
	set a = `/bin/echo sub $i`; echo "$a"
	/nonexistent/program >& /dev/null; echo $status
	(cd /; /bin/pwd)
end
X
if command -v tcsh >/dev/null; then
	want 'exited 0' 'PIPE 6'
	compare "tcsh" -- tcsh -f "$P/all.csh"
fi

if [ "$suite_runs" -eq 0 ]; then
	echo "skip: none of them is installed"
	exit 77
fi
suite_end
