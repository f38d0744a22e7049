#!/bin/bash
# dash: simple commands are vforked already; pipelines, $(...), ( ) and &
# are forked and the child goes on interpreting before it execs, or never
# does. Only those forks can be lazy.
. "$(dirname "$0")/lib.sh"
needs dash
suite_forks_by dash

suite_file ballast.sh <<'X'
big=$(printf '%01000000d' 7); big=$big$big$big$big
i=0
while [ $i -lt 5000 ]; do i=$((i + 1)); eval "v$i='value $i of the ballast'"; done
check() {
	n=0; i=0
	while [ $i -lt 5000 ]; do
		i=$((i + 1)); eval "[ \"\$v$i\" = 'value $i of the ballast' ]" &&
			n=$((n + 1))
	done
	echo "ballast $n ${#big}"
}
X

suite_file all.sh <<'X'
. "$P/ballast.sh"
for j in 1 2 3 4 5 6 7 8 9 10; do
	/bin/echo "command $j $v7"; /bin/sh -c "exit $j"; echo $?
	/bin/echo "pipeline $j" | cat | tr a-z A-Z
	a=$(/bin/echo sub $j); b=$(echo builtin "$v8"; exit 3); echo "$? $a $b"
	(v1=spoilt; big=; exit $j); echo $? "$v1"
	(exec /bin/echo replaced)
	/bin/echo >>log "line $j"; /bin/cat <log | wc -l
	/bin/cat <<-END
		here $j $(/bin/echo substituted)
	END
	/bin/echo lost >/nonexistent/f; echo $?
	nosuchcommand; echo $?
	(nosuchcommand); echo $?
	nosuchcommand | cat; echo $?
	x=$(/etc/passwd 2>&1); echo "$? $x"
	/bin/sh -c "exit $j" & wait $!; echo $?
done
cat <<END | wc -c
$big
END
/bin/true | "$LOOK" self
(exec "$LOOK" parent)
check
X
want 'exited 0' 'ballast 5000 4000000'
compare "commands, pipelines, substitutions" -l dash -- dash "$P/all.sh"

suite_file jobs.sh <<'X'
. "$P/ballast.sh"
for j in 1 2 3 4 5; do (sleep 0.0$j; exit $j) & eval p$j=$!; done
for j in 1 2 3 4 5; do eval wait \$p$j; echo $?; done
trap 'echo usr1' USR1; sh -c 'kill -USR1 $PPID'
(kill -TERM $(sh -c 'echo $PPID')); echo $?
trap 'echo exit trap' EXIT
check
X
want 'exited 0' 'exit trap'
compare "background and signals" -- dash "$P/jobs.sh"

suite_file monitor.sh <<'X'
. "$P/ballast.sh"
set -m
for j in 1 2 3; do /bin/echo m | cat | cat; (exit 4) & wait $!; echo $?; done
sleep 60 & kill %1; wait %1; echo $?
mkfifo f; cat f >copied & echo fifo >f; wait; cat copied
check
X
want 'exited 0' 'ballast 5000 4000000'
# whether dash says so depends on when the job ends
compare "set -m on a terminal" -l dash -f 's/\r//g; /^Terminated$/d' -- \
	script -qec "dash $P/monitor.sh" /dev/null

printf 'echo "no interpreter line $1"\nexit 4\n' | suite_file plain-script
suite_file enoexec.sh <<'X'
"$P/plain-script" a; echo $?
"$P/plain-script" b | cat
x=$("$P/plain-script" c); echo $? $x
(exec "$P/plain-script" d); echo $?
X
want 'exited 0' 'no interpreter line d'
compare "a script without #!" -- dash "$P/enoexec.sh"

suite_end
