#!/bin/bash
# What is shown of a run whose numbers are known is right, wherever it is shown:
# trace, report, as a page, status, and top, which is looked at on a terminal.
. "$(dirname "$0")/lib.sh"

"$flatfork" doctor >"$work/out" 2>&1 || skip "no lazy forks here"

cat >"$work/known.c" <<'END_OF_C'
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static char *argv[] = { "true", 0 };
void exec_eleven(void)
{
	for (int i = 0; i < 11; i++, wait(0))
		if (!fork())
			execv("/bin/true", argv);
}
void end_four(void)
{
	for (int i = 0; i < 4; i++, wait(0))
		if (!fork())
			_exit(0);
}
void spawn_five(void)
{
	pid_t pid;
	for (int i = 0; i < 5; i++, wait(0))
		posix_spawn(&pid, "/bin/true", 0, 0, argv, environ);
}
void vfork_three(void)
{
	for (int i = 0; i < 3; i++, wait(0))
		if (!vfork()) {
			execv("/bin/true", argv);
			_exit(1);
		}
}
int main(int argc, char **argv)
{
	char *memory = malloc(20 << 20);
	memset(memory, 1, 20 << 20);
	exec_eleven(), end_four(), spawn_five(), vfork_three();
	if (argc > 1 && write(1, "x", 1) == 1)
		pause();
	return memory[4711] != 1;
}
END_OF_C
expect 0 cc -O0 -g -o "$work/known" "$work/known.c"
# Every fork that can be lazy is, and no child is late. Of 20 MiB what children
# need is copied.
export FLATFORK_FORK=lazy FLATFORK_LEND=off FLATFORK_BUDGET_MS=60000
time='[0-9.]+ [num]?s'

# place FILE TEXT LINE...: lines that follow each other, as expressions
place() {
	local file=$1 n
	shift
	n=$(grep -nE "$1" "$work/$file" | cut -d: -f1 | head -1)
	for line; do
		sed -n "${n:-0}p" "$work/$file" 2>/dev/null |
			grep -qE "$line" || {
			fail "std$file: not said: $line"
			sed 's/^/	/' "$work/$file"
			return
		}
		n=$((n + 1))
	done
}

# In words: what the columns are, and what is in them.
summed() {
	awk '$1 == "program" { for (i = 1; i <= NF; i++) at[$i] = i }
		$1 == "known" { print $at["forks_lazy"], $at["forks_real"],
			$at["rollbacks"], $at["spawns"], $at["vforks"],
			$at["processes"] }
		$1 == "true" { print "true", $at["processes"] }' "$work/$1" |
		paste -sd' '
}
expect 0 "$flatfork" trace -- "$work/known"
# Itself and four that end; eleven, five and three are another program by then.
[ "$(summed err)" = "11 4 4 5 3 5 true 19" ] || fail "trace: $(cat "$work/err")"
place err "^ +11 +$time +$time +- +-  known: fork at known\+0x[0-9a-f]+ in exec_eleven: lazy 11$" \
	'not copied: (219|220) MiB, and up to 4[34][0-9] KiB of page tables'
place err "^ +5 +$time +$time +- +-  known: posix_spawn at .* in spawn_five: spawned 5$"
place err "^ +4 +- +- +$time +$time  known: fork at .* in end_four: real 4, rolled_back 4$" \
	'^ +4 rolled_back: ends without exec$'
place err "^ +3 +$time +$time +- +-  known: vfork at .* in vfork_three: vforked 3$"

expect 0 "$flatfork" run --log "$work/log" --stats "$work/stats" -- \
	"$work/known"
expect 0 "$flatfork" report "$work/log" "$work/stats"
[ "$(summed out)" = "11 4 4 5 3 5 true 19" ] ||
	fail "report: $(cat "$work/out")"

# As a page: bars add up to all that is there, and each call is in a chart.
expect 0 "$flatfork" report --html "$work/log" "$work/stats"
for title in 'lazy: 11' 'spawned: 5' 'vforked: 3' 'real: 4'; do
	says out "<title>$title</title>"
done
says out '<td>known<td class="n">5<td class="n">23<td>'
grep -qE ' in exec_eleven</code><td class="w">lazy 11<td class="n">(219|220)<td>' \
	"$work/out" || fail "the page: $(cat "$work/out")"
says out ' in end_four</code><td class="w">real 4, rolled_back 4<td class="n">0<td>4 rolled_back: ends without exec'
charted() {
	grep -oE "<title>$1, [0-9.]+ [num]?s to [0-9.]+ [num]?s: [0-9]+<" \
		"$work/out" | grep -oE '[0-9]+<$' | tr -d '<' |
		awk '{ n += $1 } END { print n + 0 }'
}
[ "$(charted flat)" -eq 19 ] || fail "$(charted flat) flat calls in charts"
[ "$(charted copies)" -eq 4 ] || fail "$(charted copies) copies in charts"
if python3 -c 'import html.parser' 2>/dev/null; then
	expect 0 python3 - "$work/out" <<'END_OF_PY'
import html.parser, re, sys
class Page(html.parser.HTMLParser):
	def handle_starttag(self, tag, attrs):
		a = dict(attrs)
		if tag == "svg":
			v = a.get("viewbox", "0 0 %s %s" % (a.get("width"), a["height"]))
			self.box = [float(x) for x in v.split()[2:]]
		if tag == "rect":
			x, y = float(a["x"]), float(a.get("y", 0))
			w, h = float(a["width"]), float(a["height"])
			assert w > 0 and h > 0 and x >= 0 and y >= -0.1, a
			assert x + w <= self.box[0] + 0.1, (a, self.box)
			assert y + h <= self.box[1] + 0.1, (a, self.box)
			assert re.fullmatch("#[0-9a-f]{6}", a["fill"]), a
Page().feed(open(sys.argv[1]).read())
END_OF_PY
fi

# While it runs.
mkfifo "$work/ready"
"$flatfork" run -- "$work/known" stay >"$work/ready" &
pid=$!
head -c 1 "$work/ready" >/dev/null
expect 0 "$flatfork" status "$pid"
says out 'counters        forks_lazy 11, forks_real 4, rollbacks 4, spawns 5, vforks 3'
place out "^  known\+0x[0-9a-f]+ fork: lazy 11, p50 $time, p99 $time$" \
	'^    not copied: (219|220) MiB, and up to 4[34][0-9] KiB of page tables; fetched: '
place out "^  known\+0x[0-9a-f]+ fork: real 4, rolled_back 4, p50 $time, p99 $time$" \
	'^    4 rolled_back: ends without exec$'
place out "^  known\+0x[0-9a-f]+ posix_spawn: spawned 5, p50 $time, p99 $time$"
place out "^  known\+0x[0-9a-f]+ vfork: vforked 3, p50 $time, p99 $time$"

# On a terminal: as much as there is room for, in place.
if command -v tmux >/dev/null; then
	terminal() {
		tmux -S "$socket" -f /dev/null "$@" 2>/dev/null
	}
	# screen COLUMNS ROWS: of a terminal of that size, once it was redrawn.
	# Each has a server of its own: one that ends takes no new session.
	screen() {
		local socket=$work/tmux-$1
		terminal new-session -d -x "$1" -y "$2" \
			"printf 'before\n%.0s' {1..99}
			'$flatfork' top --seconds 0.3 $pid"
		for _ in {1..200}; do
			sleep 0.2
			terminal capture-pane -p >"$work/out"
			grep -q "^ *$pid known " "$work/out" && break
		done
		sleep 1
		terminal capture-pane -p >"$work/out"
		terminal kill-server
		grep -q before "$work/out" &&
			fail "something of before is left: $(cat "$work/out")"
		[ "$(head -c 12 "$work/out")" = '    pid prog' ] ||
			fail "on $1x$2: $(cat "$work/out")"
	}
	screen 140 20
	place out '^ +pid program +resident +each s +lazy +lent +spawned +vforked +real +rollback +denied +p50 +p99$' \
		"^ *$pid known +[0-9]+ M +0\.0 +11 +0 +5 +3 +4 +4 +0 +$time +$time$"
	place out "^ +known\+0x[0-9a-f]+ fork: lazy 11, p50"
	# What is nothing has no column; what has no room is not there.
	screen 100 4
	place out '^ +pid program +resident +each s +lazy +spawned +vforked +real +rollback +p50 +p9$' \
		"^ *$pid known +[0-9]+ M +0\.0 +11 +5 +3 +4 +4"
	[ "$(grep -c . "$work/out")" -eq 4 ] ||
		fail "on 4 lines: $(cat "$work/out")"
fi
kill "$pid"
wait "$pid" 2>/dev/null

finish
