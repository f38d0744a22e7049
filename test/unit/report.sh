#!/bin/bash
# flatfork report and trace: the numbers are those of the lines.
# shellcheck disable=SC2016 # inner shells expand those
. "$(dirname "$0")/lib.sh"

cat >"$work/log" <<'END'
flatfork[1]: fork at perl+0x17dd7d in a < b: lazy: child exec'ed (1 areas, 1200 MiB absent, 0 faults, 4 calls, 0 KiB fetched)
flatfork[1]: fork at perl+0x17dd7d in a < b: lazy: child exec'ed (2 areas, 9 MiB absent, 3 faults, 4 calls, 0 KiB fetched)
flatfork[2]: fork at perl+0x1: real: rolled back: child writes before exec (call 1, 0 faults)
flatfork[2]: fork at perl+0x1: real: data is limited (RLIMIT_DATA)
flatfork[3]: posix_spawn at x+0x2 in main: spawn: "sh" is 8715
flatfork[3]: posix_spawn at x+0x2 in main: spawn: "sh" is 8716
flatfork[3]: posix_spawn at x+0x2 in main: spawn: "sh" is 8717
flatfork[4]: fork at y+0x3: denied (ENOMEM): small process
flatfork[5]: fork at y+0x3: lent, fenced: 3 pages put back
flatfork[5]: fork at y+0x3: lent, fenced: 4 pages put back
nonsense
flatfork[5]: without any place
END
cat >"$work/stats" <<'END'
{"pid":1,"comm":"perl","forks_lazy":11,"forks_real":19,"rollbacks":2}
{"pid":2,"comm":"a\"},forks_lazy\":7","forks_lazy":1}
{"pid":3,"comm":"perl","forks_lazy":1,"forks_real":-1}
{"pid":4,"comm":"never ends
{}
END
expect 0 "$flatfork" report "$work/log" "$work/stats"
# row TIMES TEXT: of that outcome
row() {
	grep -qE "^ +$1  $2\$" "$work/out" ||
		fail "not $1 times: $2: $(cat "$work/out")"
}
row 2 "lazy: child exec'ed"
row 1 'real: rolled back: child writes before exec'
row 1 'real: data is limited \(RLIMIT_DATA\)'
row 3 'spawn: "sh"'
row 1 'denied \(ENOMEM\): small process'
row 2 'lent, fenced'
[ "$(grep -c '^ \{9\}[a-z]' "$work/out")" -eq 6 ] || fail "other places"
grep -qE '^perl +2 +12 +18 +2$' "$work/out" || fail "perl: $(cat "$work/out")"
grep -qE '^a"\},forks_lazy":7 +1 +1 +0 +0$' "$work/out" ||
	fail "a name is taken for numbers: $(cat "$work/out")"
[ "$(sed -n 2p "$work/out" | cut -c1-5)" = 'perl ' ] || fail "perl is first"
[ "$(grep -nE 'spawn: "sh"' "$work/out" | cut -d: -f1)" -lt \
	"$(grep -n 'lent, fenced' "$work/out" | cut -d: -f1)" ] ||
	fail "not the most first"

# Places: what processes of one program count of one is one row.
cat >"$work/sites" <<'END'
{"pid":1,"comm":"perl","site":"perl+0x17dd7d","function":"Perl_pp_system","call":"fork","lazy":90,"real":10,"rolled_back":2,"faults":3,"fetched":4096,"absent":1073741824,"why":[["rolled_back","writes before exec",2],["real","small process",8]],"flat_ns":[[100000,89],[900000,1]],"copies_ns":[[5000000,10]]}
{"pid":2,"comm":"perl","site":"perl+0x17dd7d","function":"Perl_pp_system","call":"fork","lazy":9,"real":1,"rolled_back":0,"absent":1073741824,"why":[["real","small process",1]],"flat_ns":[[100000,9]],"copies_ns":[[9000000,1]]}
{"pid":3,"comm":"a\"lazy\":7,","site":"<b>","call":"spawn","spawned":1,"why":[["x"],7,[1,2],[["x"],"y"]],"flat_ns":[[1],[],7,"x",{"a":1}],"copies_ns":{"a":[[1,1]]}}
{"pid":3,"comm":"cut off","site":"<b>","call":"spawn","spawned":1,"why":[["x"],"flat_ns":[[1,2,3],[7
{"pid":4,"comm":"no end","site":"
END
expect 0 "$flatfork" report "$work/sites"
grep -qE '^ +110 +(99|10[0-3]) us +(8[789]|9[0-3])[0-9] us +[45]\.[0-9] ms +[89]\.[0-9] ms  perl: fork at perl\+0x17dd7d in Perl_pp_system: lazy 99, real 11, rolled_back 2$' \
	"$work/out" ||
	fail "the sum of a place: $(cat "$work/out")"
says out 'not copied: 2048 MiB, and up to 4096 KiB of page tables; fetched: 4 KiB'
says out '9 real: small process'
says out '2 rolled_back: writes before exec'
grep -qE '^ +1 .*  a"lazy":7,: spawn at <b>: spawned 1$' "$work/out" ||
	fail "a strange one: $(cat "$work/out")"
grep -q 'cut off' "$work/out" && fail "half a line counts"
grep -q '^no end' "$work/out" && fail "half a line is a process"
expect 0 "$flatfork" report --html "$work/sites"
says out '<code>perl: fork at perl+0x17dd7d in Perl_pp_system</code><td class="w">lazy 99, real 11, rolled_back 2<td class="n">2048<td>2 rolled_back: writes before exec<br>9 real: small process'
grep -q '<b>' "$work/out" && fail "a place is markup"

# On a terminal that has no room numbers are whole, and text goes on below.
if command -v script >/dev/null; then
	expect 0 script -qec "stty cols 60 && '$flatfork' report '$work/stats' \
		'$work/sites'" /dev/null </dev/null
	tr -d '\r' <"$work/out" >"$work/narrow"
	grep -qE '^perl +2 +12 +18 +2$' "$work/narrow" ||
		fail "narrow: $(cat "$work/narrow")"
	awk '/ place$/ { at = index($0, "place") }
		at { text = text substr($0, at)
			if (length > 60) print "too wide: " $0 }
		END { print text }' "$work/narrow" >"$work/out"
	says out 'perl: fork at perl+0x17dd7d in Perl_pp_system: lazy 99, real 11, rolled_back 2not copied: '
	grep 'too wide' "$work/out" && fail "narrow: $(cat "$work/narrow")"
fi

# As a page: the same numbers, well formed, and what a name says is no markup.
echo '{"pid":9,"comm":"<b>&x","forks_lazy":3}' >>"$work/stats"
expect 0 "$flatfork" report --html "$work/log" "$work/stats"
cp "$work/out" "$work/page"
says out '<title>lazy: 12</title>'
says out '<title>real: 18</title>'
says out '&#60;b&#62;&#38;x'
grep -q '<b>' "$work/page" && fail "a name is markup"
grep -qE '(src|href|url)[=(]' "$work/page" && fail "it needs something else"
# The longest bar is as wide as all, and made of its parts.
grep -oE 'x="[0-9.]+" width="[0-9.]+"' "$work/page" | head -2 |
	diff - <(printf 'x="0.0" width="240.0"\nx="240.0" width="360.0"\n') ||
	fail "perl's bar"

# What others wrote is not for a terminal.
printf 'flatfork[1]: fork at \033[31mx+0x1: real: \033]2;y\007\n' >"$work/words"
printf '{"pid":1,"comm":"\033c","forks_lazy":1}\n' >>"$work/words"
expect 0 "$flatfork" report "$work/words"
says out 'real: ?]2;y?'
grep -q $'[\033\007]' "$work/out" && fail "escapes: $(cat -v "$work/out")"

# A line that can't be understood is nothing, and the next one is what it was.
{
	good='"comm":"good","forks_lazy":1}'
	for depth in 4000 100000; do
		printf '{"pid":1,"comm":"deep","forks_lazy":7,"x":'
		head -c $depth /dev/zero | tr '\0' '['
		head -c $depth /dev/zero | tr '\0' ']'
		printf '}\n{"pid":1,%s\n' "$good"
	done
	printf '{"pid":1,"comm":"'
	head -c 10000000 /dev/zero | tr '\0' x
	printf '","forks_lazy":7}\n{"pid":1,%s\n' "$good"
	for number in 1e400 99999999999999999999 -1e999 1e 0x1 01 +1 '' NaN; do
		printf '{"pid":1,"comm":"number","forks_lazy":%s}\n' "$number"
	done
	printf '{"pid":1,"comm":"%b","forks_lazy":7}\n' 'bad\xffbytes' \
		'bad\xc3' 'bad\xed\xa0\x80' 'bad\\u0000' 'bad\\ud800' 'bad\\q'
	printf '{"pid":1,"comm":"nul\0","forks_lazy":1}\n'
	printf '{"pid":1,"comm":"\\u001b[31m\\u009bm","forks_lazy":1}\n'
	printf '{"pid":1,"comm":"pr\\u00f6g\xe2\x82\xac","forks_lazy":1}\n'
	printf '{"pid":1,"comm":"twice","forks_lazy":5,"forks_lazy":3}\n'
	printf '{"pid":1,"comm":["list"],"forks_lazy":1}\n'
	printf '{"pid":1,"comm":"types","forks_lazy":"7","spawns":[7],"vforks":null,"forks_real":2}\n'
	printf '["pid"]\n"pid"\n7\nnull\n{"pid":1,"comm":"none"}\n'
	printf '{"pid":1,%s {"pid":1,"comm":"behind","forks_lazy":1}\n' "$good"
	# two of the greatest are no less than one
	printf '{"pid":1,"comm":"greatest","forks_lazy":9223372036854775807,"forks_real":-9223372036854775808}\n%.0s' 1 2
	# what was cut off does not take the next one along
	printf '{"pid":1,"comm":"cut off","forks_lazy":7,"forks_r{"pid":1,%s\n' "$good"
	printf '{"pid":1,%.0s' {1..900}
	printf '\n{"pid":1,"comm":"good","forks_lazy":1}\n'
	printf '{"pid":1,"comm":"cut off","forks_lazy":7'
} >"$work/hostile"
expect 0 "$flatfork" report "$work/hostile"
# program NAME PROCESSES LAZY: that row, by its columns
program() {
	awk -v name="$1" '$1 == "program" { for (i = 1; i <= NF; i++) at[$i] = i }
		$1 == name { print $at["processes"], $at["forks_lazy"] }' \
		"$work/out" | grep -qxF "$2 $3" ||
		fail "hostile: not $2 $3: $1: $(cat -v "$work/out")"
}
program good 5 5
program 'nul?' 1 1
program '?[31m??m' 1 1
program 'prög€' 1 1
program twice 1 3
program types 1 0
program behind 1 1
program greatest 2 9223372036854775807
for name in deep number bad list none cut xx; do
	grep -q "^$name" "$work/out" && fail "hostile: $name: $(cat -v "$work/out")"
done
LC_ALL=C grep -q $'\033\|\302[\200-\237]' "$work/out" && fail "hostile: $(cat -v "$work/out")"
expect 0 "$flatfork" report --html "$work/hostile"
says out '<td>good<td class="n">5<td class="n">5<td>'

# What became of a fork, in more words than there is room for.
{ printf 'flatfork[1]: fork at x+0x1: real: '; head -c 3000 /dev/zero | tr '\0' x; } \
	>"$work/long"
for html in '' --html; do
	expect 0 "$flatfork" report $html "$work/long"
	says out 'real: xxx'
	says out 'fork at x+0x1'
done

# Bytes of any kind, and lines of any length.
head -c 200000 /dev/urandom >"$work/noise"
{ printf '{"comm":"'; head -c 9000 /dev/zero | tr '\0' x; } >>"$work/noise"
expect 0 "$flatfork" report "$work/noise"
expect 0 "$flatfork" report --html "$work/noise"
expect 0 "$flatfork" report /dev/null
says out 'no line of a log'
# A file that is something else is named, lest the sum be taken for its as well.
gzip -c "$work/log" >"$work/log.gz"
expect 0 "$flatfork" report "$work/log.gz" "$work/log" "$work/sites"
grep -q '^flatfork report: .*/log.gz: no line of a log or of statistics$' \
	"$work/err" || fail "another file: $(cat "$work/err")"
[ "$(wc -l <"$work/err")" -eq 1 ] || fail "ours as well: $(cat "$work/err")"
# A name that is not of ASCII is shown as it is, in the page as well.
printf '{"pid":1,"comm":"\346\227\245\346\234\254","forks_lazy":1}\n' >"$work/name"
for page in '' --html; do
	expect 0 "$flatfork" report $page "$work/name"
	says out "$(printf '\346\227\245\346\234\254')"
done
# Behind what a program, or a log of the system, has put before them.
sed 's/^[f{]/Jan 1 host perl[1]: &/' "$work/log" >"$work/prefixed"
expect 0 "$flatfork" report "$work/log"
cp "$work/out" "$work/bare"
expect 0 "$flatfork" report "$work/prefixed"
cmp "$work/bare" "$work/out" || fail "prefixed: $(cat "$work/out")"
sed 's/^{/50%{/' "$work/stats" >"$work/prefixed"
expect 0 "$flatfork" report "$work/prefixed"
grep -qE '^perl +2 +12 +18 +2$' "$work/out" || fail "50%: $(cat "$work/out")"
# As a terminal ends lines; and what is counted is nothing below nothing.
sed 's/$/\r/' "$work/stats" >"$work/crlf"
expect 0 "$flatfork" report "$work/crlf"
grep -qE '^perl +2 +12 +18 +2$' "$work/out" || fail "crlf: $(cat "$work/out")"
# What was told ahead, and is taken back by a later line of the same place.
for real in 1 -1; do
	echo '{"pid":1,"comm":"back","site":"x+0x1","call":"daemon","real":'$real',"why":[["real","no",'$real']]}'
done >"$work/stats"
echo '{"pid":1,"comm":"back","site":"x+0x1","call":"daemon","denied":1,"why":[["denied","so",1]]}' \
	>>"$work/stats"
expect 0 "$flatfork" report "$work/stats"
says out 'daemon at x+0x1: denied 1'
says out '1 denied: so'
grep -q real "$work/out" && fail "taken back, and told: $(cat "$work/out")"
echo '{"pid":1,"comm":"less","site":"x+0x1","call":"fork","lazy":-5,"real":3,"absent":-1,"why":[["real","no",-3]],"flat_ns":[[-1,-1]]}' \
	>"$work/less"
expect 0 "$flatfork" report "$work/less"
grep -qE '^ +3( +-){4}  less: fork at x\+0x1: real 3$' "$work/out" ||
	fail "below nothing: $(cat "$work/out")"
expect 125 "$flatfork" report "$work/none"
expect 125 "$flatfork" report

# A command's own: as many as it makes, and its output and status are its own.
cat >"$work/forks.c" <<'END'
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	for (int i = 0; i < 7; i++)
		if (!fork())
			execl("/bin/true", "true", (char *)0);
		else
			wait(0);
	return write(1, "out\n", 4) == 4 && argc > 1 ? atoi(argv[1]) : 1;
}
END
expect 0 cc -o "$work/forks" "$work/forks.c"
mkdir "$work/tmp"
export TMPDIR=$work/tmp FLATFORK_FORK=real
expect 5 "$flatfork" trace -- "$work/forks" 5
[ "$(cat "$work/out")" = out ] || fail "trace: output: $(cat "$work/out")"
grep -qE '^ +7  real: asked for$' "$work/err" || fail "$(cat "$work/err")"
grep -qE '^forks +8 +7$' "$work/err" || fail "$(cat "$work/err")"
grep -qE '^true +7 +0$' "$work/err" || fail "$(cat "$work/err")"
grep -qE '^ +7 +- +- .*  forks: fork at forks\+0x[0-9a-f]+ in main: real 7$' \
	"$work/err" || fail "$(cat "$work/err")"
says err '7 real: asked for'
expect 137 "$flatfork" trace sh -c 'kill -9 $$'
# Whoever ends it ends the command, and still hears what that did.
expect 3 end_when_begun "$flatfork" trace sh -c 'trap "exit 3" TERM; (:); echo $$ >"$0"
	while :; do sleep 0.1; done' "$work/began"
grep -qE '^sh +' "$work/err" || fail "trace: $(cat "$work/err")"
expect 0 sh -c 'trap "" INT HUP; exec "$0" trace grep SigIgn /proc/self/status' \
	"$flatfork"
grep -qE 'SigIgn:	0*3$' "$work/out" || fail "ignored: $(cat "$work/out")"
expect 0 "$flatfork" trace grep SigIgn /proc/self/status
grep -qE 'SigIgn:	0*$' "$work/out" || fail "ignored: $(cat "$work/out")"
# Whatever becomes of what it says; wherever the command goes; however the
# folder for its files is written.
mkfifo "$work/unread"
(: <"$work/unread") &
expect 5 sh -c 'exec "$0" trace sh -c "sleep 1; exit 5" 2>"$1"' \
	"$flatfork" "$work/unread"
wait $!
expect 4 sh -c 'cd "$1" && TMPDIR=tmp exec "$0" trace sh -c "cd / && (:); exit 4"' \
	"$flatfork" "$work"
grep -qE '^sh +2 +1$' "$work/err" || fail "another folder: $(cat "$work/err")"
expect 125 env TMPDIR="$(printf '%5000s' '' | tr ' ' x)" "$flatfork" trace true
says err 'File name too long'
expect 125 env TMPDIR="$work/none" "$flatfork" trace true
says err "$work/none: No such file"
expect 127 "$flatfork" trace none-of-that-name
expect 125 "$flatfork" trace
rmdir "$work/tmp" || fail "trace left files behind"

finish
