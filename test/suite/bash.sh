#!/bin/bash
# bash: everything it runs is forked; children range from exec at once to
# subshells that never exec, and pipelines with job control block on their
# parent until it has closed a pipe.
. "$(dirname "$0")/lib.sh"
needs bash
suite_forks_by bash

suite_file ballast.sh <<'X'
# Some 8 MiB of heap that subshells copy and nobody may disturb.
for ((i = 0; i < 12000; i++)); do arr[i]="element $i of the ballast"; done
big=$(printf '%01000000d' 7); big=$big$big$big$big
check() {
	local i sum=0
	for ((i = 0; i < 12000; i += 7)); do
		[ "${arr[i]}" = "element $i of the ballast" ] && ((sum++))
	done
	echo "ballast $sum ${#big}"
}
X

suite_file loop.sh <<'X'
. "$P/ballast.sh"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	/bin/echo "command $i ${arr[i]}"
	/bin/sh -c "exit $i"; echo $?
	/bin/true && /bin/false || /bin/echo "or"
done
env GIVEN=1 /bin/sh -c 'echo $GIVEN'
GIVEN=2 /bin/sh -c 'echo $GIVEN'
"$LOOK"
check
X
want 'exited 0' 'ballast 1715 4000000'
compare "loops of commands" -l bash -- bash "$P/loop.sh"

suite_file pipes.sh <<'X'
. "$P/ballast.sh"
for i in {1..10}; do
	/bin/echo "pipeline $i" | cat | tr a-z A-Z
	/bin/sh -c 'exit 2' | /bin/false | /bin/sh -c 'exit 3'; echo "${PIPESTATUS[@]}"
	set -o pipefail; /bin/sh -c 'exit 4' | cat; echo $?; set +o pipefail
	printf '%s\n' "${arr[@]:0:1000}" | sort -r | head -n 2
	! /bin/true | /bin/false; echo $?
done
printf '%s' "$big" | wc -c
seq 1 5000 | while read -r n; do ((t += n)); [ "$n" = 5000 ] && echo "$t"; done
shopt -s lastpipe; seq 1 10 | while read -r n; do ((u += n)); done; echo "$u"
/bin/echo both 2>&1 |& cat
check
X
want 'exited 0' 'ballast 1715 4000000'
compare "pipelines" -l bash -- bash "$P/pipes.sh"

suite_file subst.sh <<'X'
. "$P/ballast.sh"
for i in {1..10}; do
	a=$(/bin/echo "sub $i"); b=$(echo builtin "${arr[i]}"); echo "$a $b"
	c=`/bin/echo tick $(/bin/echo nested)`; echo "$c"
	d=$(exit "$i"); echo $?
	(arr[1]=spoilt; big=; cd /; exit $((i + 1))); echo $? "${arr[1]}"
	( ( /bin/echo deep; /bin/echo deeper ) | cat )
	{ /bin/echo group; } 
	(exec /bin/echo replaced)
done
echo "$(< "$P/subst.sh")" | wc -l
cat <(/bin/echo process substitution) <(echo "${arr[5]}")
/bin/echo into > >(tr a-z A-Z >upper); until [ -s upper ]; do sleep 0.01; done; cat upper
coproc /bin/cat; echo through >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"
echo "$line"; eval "exec ${COPROC[1]}>&-"; wait
echo "levels $BASH_SUBSHELL $(echo $BASH_SUBSHELL $( (echo $BASH_SUBSHELL) ))"
[ "$(echo $BASHPID)" != $$ ] && echo "own pid"
check
X
want 'exited 0' 'ballast 1715 4000000'
compare "substitutions and subshells" -l bash -- bash "$P/subst.sh"

suite_file redir.sh <<'X'
. "$P/ballast.sh"
for i in {1..10}; do
	/bin/echo "line $i" >>log
	/bin/sh -c 'echo out; echo err >&2' >both 2>&1; cat both
	/bin/sh -c 'echo out; echo err >&2' 2>err >out; cat out err
	/bin/cat <log | wc -l
	/bin/cat <<-END
		here $i ${arr[i]} $(/bin/echo substituted)
	END
	/bin/cat <<<"string $i"
	/bin/sh -c 'echo five >&5' 5>five; cat five
	/bin/echo lost >/nonexistent/dir/file; echo $?
	/bin/cat <&-; echo $?
done
exec 7>seven; /bin/echo through seven >&7; "$LOOK" self; exec 7>&-; cat seven
exec 8<log; read -r x <&8; /bin/cat <&8 | wc -l; exec 8<&-
cat <<END | wc -c
$big
END
/bin/echo noclobber >clob; set -C; /bin/echo again >clob; echo $?; cat clob
check
X
want 'exited 0' 'ballast 1715 4000000'
compare "redirections and here-documents" -l bash -- bash "$P/redir.sh"

suite_file jobs.sh <<'X'
. "$P/ballast.sh"
set -m
for i in {1..10}; do
	/bin/echo "job $i" | cat | tr a-z A-Z
	/bin/true | /bin/sh -c 'exit 3'; echo $?
	/bin/sh -c 'exit 4' & wait $!; echo $?
done
sh -c 'test "$(ps -o pgid= -p $$ | tr -d " ")" = $$ && echo own group'
sleep 60 & kill -TERM %%; wait %% 2>/dev/null; echo $?
sleep 60 | sleep 60 & kill -STOP %%; sleep 0.05; kill -CONT %%; kill %%
wait; echo "waited $?"
sh -c 'kill -STOP $$; exit 6' & p=$!
until grep -q '^State:.*stopped' /proc/$p/status; do sleep 0.01; done
jobs -s | grep -c Stopped; kill -CONT $p
s=147; while [ "$s" = 147 ]; do wait $p; s=$?; done; echo $s # 147: not yet seen to go on
jobs >/dev/null; jobs | wc -l # the end of one is told once
check
X
want 'exited 0' 'ballast 1715 4000000'
compare "set -m job control" -l bash -f 's/\[[0-9]+\] [0-9]+/[job]/;s/line ([0-9]+): +[0-9]+ /line \1: PID /' \
	-- bash "$P/jobs.sh"

suite_file session <<'X'
/bin/echo interactive $((6 * 7))
/bin/echo a | cat | tr a b
sleep 0.05 & wait; /bin/echo background ended
sh -c 'kill -STOP $$; exit 7'
fg >/dev/null; /bin/echo status $?
exit 9
X
want 'exited 9' 'interactive 42'
compare "interactive, on a terminal" -i "$P/session" \
	-f 's/\r//g;s/\[[0-9]+\] [0-9]+/[job]/;/\[job\]|Stopped|Done|kill -STOP|\$ $/d;s/^(.*\$ )+//' -- \
	script -qec "bash --norc --noprofile -i 2>/dev/null" /dev/null

printf 'echo "no interpreter line: $1 $0" | sed "s|$P|P|"\nexit 4\n' |
	suite_file plain-script
suite_file enoexec.sh <<'X'
. "$P/ballast.sh"
for i in {1..10}; do
	"$P/plain-script" "$i"; echo $?
	"$P/plain-script" "$i" | cat
	x=$("$P/plain-script" "$i"); echo "$? $x"
done
check
X
want 'exited 0' 'no interpreter line'
compare "a script without #!" -- bash "$P/enoexec.sh"

suite_file notfound.sh <<'X'
. "$P/ballast.sh"
for i in {1..10}; do
	nosuchcommand-$i; echo $?
	/nonexistent/program; echo $?
	/etc/passwd; echo $?
	/tmp; echo $?
	nosuchcommand | cat; echo "${PIPESTATUS[@]}"
	x=$(nosuchcommand 2>&1); echo "$? $x"
done
command_not_found_handle() { echo "handler: $1"; return 77; }
nosuchcommand; echo $?
check
X
want 'exited 0' 'handler: nosuch'
compare "command not found" -- bash "$P/notfound.sh"

suite_file traps.sh <<'X'
. "$P/ballast.sh"
trap 'echo usr1' USR1
trap '((chld++))' CHLD
for i in {1..10}; do sh -c 'kill -USR1 $PPID'; /bin/true; done
((chld >= 20)) && echo "chld enough"
trap - CHLD
(trap 'echo subshell exit' EXIT; /bin/true)
trap 'echo err trap' ERR; /bin/false; trap - ERR
trap '' INT; sh -c 'kill -INT $$; echo ignored INT'; trap - INT
sh -c 'trap "echo child trap; exit 5" TERM; kill -TERM $$'; echo $?
sh -c 'kill -TERM $$'; echo $?
sh -c 'kill -SEGV $$'; echo $?
trap 'echo debug >>debugged' DEBUG; /bin/true; trap - DEBUG
check
exit 3
X
want 'exited 3' 'subshell exit'
compare "traps and signals" -l bash -f 's/line ([0-9]+): +[0-9]+ /line \1: PID /' \
	-- bash "$P/traps.sh"

suite_file exittrap.sh <<'X'
. "$P/ballast.sh"
trap 'echo exit trap $?' EXIT
for i in {1..10}; do
	/bin/echo "command $i ${arr[i]}"; x=$(/bin/echo sub); echo "$x"
	(trap 'echo subshell exit' EXIT; /bin/true)
	(/bin/true; exit "$i"); echo $?
done
/bin/true | /bin/cat
check
exit 3
X
# With an EXIT trap, as when it is interactive, bash handles every signal that
# would end it, SIGSYS among them: then its forks are libc's.
want 'exited 3' 'exit trap 3'
compare "a trap on EXIT" -- bash "$P/exittrap.sh"

suite_file background.sh <<'X'
. "$P/ballast.sh"
for i in {1..10}; do
	/bin/sh -c "exit $i" & p[i]=$!
done
for i in {1..10}; do wait "${p[i]}"; echo $?; done
{ sleep 0.02; /bin/echo group; exit 3; } & wait $!; echo $?
(sleep 0.01; exit 6) & wait -n; echo $?
(sleep 0.02; exit 4) & (sleep 0.01; exit 5) & wait; echo $?
for i in 1 2 3; do
	mkfifo "go$i"; sh -c "read x <go$i; exit $i" & p[i]=$!
done
for i in 3 1 2; do echo >"go$i"; wait "${p[i]}"; echo "let go $?"; done
mkfifo f; cat f >copied & echo "through a fifo" >f; wait; cat copied
sleep 60 & kill $!; wait $! 2>/dev/null; echo $?
check
X
want 'exited 0' 'through a fifo'
compare "background and wait" -l bash -f 's/line ([0-9]+): +[0-9]+ /line \1: PID /' \
	-- bash "$P/background.sh"

suite_end
