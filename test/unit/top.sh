#!/bin/bash
# flatfork top and the counters of status: what a process has counted, while it
# runs.
. "$(dirname "$0")/lib.sh"

cat >"$work/forks.c" <<'END'
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void make(int n)
{
	while (n--)
		if (!fork())
			execl("/bin/true", "true", (char *)0);
		else
			wait(0);
}
int main(void)
{
	char *argv[] = { "true", 0 };
	pid_t pid;
	for (int i = 0; i < 3; i++)
		if (!posix_spawn(&pid, "/bin/true", 0, 0, argv, argv + 1))
			waitpid(pid, 0, 0);
	make(7);
	if (write(1, "x", 1) != 1)
		return 1;
	for (;;) {
		usleep(100000);
		make(1);
	}
}
END
expect 0 cc -o "$work/forks" "$work/forks.c"
mkfifo "$work/ready"
"$flatfork" run --fork real -- "$work/forks" >"$work/ready" &
pid=$!
head -c 1 "$work/ready" >/dev/null

expect 0 "$flatfork" status "$pid"
grep -qE '^counters +forks_real [0-9]+, spawns 3$' "$work/out" ||
	fail "status: $(cat "$work/out")"

expect 0 "$flatfork" top --times 2 --seconds 1 "$pid"
[ "$(grep -c "^ *$pid forks " "$work/out")" -eq 2 ] ||
	fail "top: $(cat "$work/out")"
# Each place is told of, how often, how long, and why.
expect 0 "$flatfork" status "$pid"
grep -qE '^  forks\+0x[0-9a-f]+ posix_spawn: spawned 3, p50 .* [num]?s, p99 ' \
	"$work/out" || fail "no spawns: $(cat "$work/out")"
grep -qE '^  forks\+0x[0-9a-f]+ fork: real [0-9]+, p50 .*, p99 ' "$work/out" ||
	fail "no forks: $(cat "$work/out")"
grep -qE '^    [0-9]+ real: asked for$' "$work/out" ||
	fail "no reason: $(cat "$work/out")"
expect 0 "$flatfork" top --times 2 --seconds 1 "$pid"
[ "$(grep -cE '^ +forks\+0x[0-9a-f]+ posix_spawn: spawned 3, ' \
	"$work/out")" -eq 2 ] || fail "places: $(cat "$work/out")"

# Seven, and one each tenth of a second; a process that makes none is quiet.
awk -v pid="$pid" '
	$1 == pid { line++; rate = $5; spawned = $8; real = $10
		percentile = $(NF - 1); unit = $NF }
	END { exit !(line == 2 && spawned == 3 && real > 7 && rate > 0 &&
		percentile ~ /^[0-9.]+$/ && unit ~ /s$/) }
' "$work/out" || fail "top's numbers: $(cat "$work/out")"
grep -q $'\033' "$work/out" && fail "what is not a terminal is redrawn"
expect 0 "$flatfork" top --times 1
grep -q "posix_spawn: " "$work/out" && fail "places of all processes"
grep -q "^ *$pid forks " "$work/out" || fail "not among all: $(cat "$work/out")"
kill "$pid"
wait "$pid" 2>/dev/null

# A program that execs counts from zero again, and makes no less than none.
echo '(:); (:); (:); sleep 0.3; exec sh "$0"' >"$work/again"
"$flatfork" run -- sh "$work/again" &
pid=$!
expect 0 "$flatfork" top --times 12 --seconds 0.2 "$pid"
grep -E "^ *$pid .* M +-" "$work/out" && fail "less than none"
kill "$pid"
wait "$pid" 2>/dev/null

sleep 100 &
expect 0 "$flatfork" top --times 1 $!
says out 'no process'
# It ends when there is nothing to look at any more.
kill $!
wait $! 2>/dev/null
expect 125 "$flatfork" top $!
says err ': there is none'
sleep 2 &
expect 0 timeout 60 "$flatfork" top --seconds=0.2 $!

# A process that has such bytes, and another object of that name.
echo 'char x[4096] = "ffcount\0\1\2\3\4\5\6\7flatfork'"'"'s counters:a,,b";' |
	cc -shared -fPIC -o "$work/libflatfork-preload.so" -x c -
LD_PRELOAD=$work/libflatfork-preload.so sleep 100 &
pid=$!
sleep 0.3
expect 0 "$flatfork" top --times 1 "$pid"
expect 0 "$flatfork" status "$pid"
says out "can't be read"
kill "$pid"

expect 125 "$flatfork" top --fast
says err "'--fast': no such option"
expect 125 "$flatfork" top --times
expect 125 "$flatfork" top --seconds 0
says err "--seconds: '0' is not a number: 2"
expect 125 "$flatfork" top --times=many
expect 125 "$flatfork" top perl
says err "'perl' is not a process: 1234"

finish
