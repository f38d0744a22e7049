#!/usr/bin/env bash
# crowd.sh CROWD: the program.
#
# Many processes append to one file at once, lines of the log and of the
# statistics: each line is whole, none is lost, none is there twice. To a file,
# and to a pipe, which is standard error; there a line may be lost when it is
# full, and none is torn.
#
# T_CROWD=10000 in the environment makes it long.
set -u

: "${FF_BUILD:?the build directory, absolute}"
unset LD_PRELOAD "${!FLATFORK@}"
object=$FF_BUILD/libflatfork-preload.so
crowd=${1:?the program}
count=${T_CROWD:-400}
work=$(mktemp -d "${TMPDIR:-/tmp}/flatfork-crowd.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
failures=0

failed() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# Of this many processes there is room for a child each, and some more.
most=$(ulimit -u)
[ "$most" = unlimited ] || [ "$most" -gt $((3 * count)) ] || {
	echo "skip: RLIMIT_NPROC is $most"
	exit 77
}

# Each line as a whole, and which it is. A place is named by function only
# where libunwind is.
place='crowd\+0x[0-9a-f]+'
log="flatfork\[[0-9]+\]: fork at $place( in [a-zA-Z0-9_< .]+)?: real: asked for"
number='[0-9]+'
pair='\[[0-9]+,[0-9]+\]'
total="\\{\"pid\":$number,\"comm\":\"crowd\"(,\"[a-z_]+\":$number)+\\}"
site="\\{\"pid\":$number,\"comm\":\"crowd\",\"site\":\"$place\"(,\"function\":\"[a-z_]+\")?,\"call\":\"fork\"(,\"[a-z_]+\":$number)+,\"why\":\\[\\[\"real\",\"asked for\",$number\\]\\],\"flat_ns\":\\[\\],\"copies_ns\":\\[($pair(,$pair)*)?\\]\\}"

# count_lines FILE: sets logs, totals, sites, torn
count_lines() {
	logs=$(grep -cxE "$log" "$1")
	totals=$(grep -cxE "$total" "$1")
	sites=$(grep -cxE "$site" "$1")
	torn=$(grep -vcxE "$log|$total|$site" "$1")
	[ "$torn" -eq 0 ] || {
		failed "$torn lines are not whole:"
		grep -vxE "$log|$total|$site" "$1" | head -5
	}
	[ "$(tail -c 1 "$1" | od -An -c | tr -d ' ')" = '\n' ] ||
		failed "the last line does not end"
}

# run_with [VAR=VALUE...]: all processes came to their end
run_with() {
	env "LD_PRELOAD=$object" FLATFORK_FORK=real "$@" "$crowd" "$count" \
		>"$work/out"
	grep -qx "$count of $count" "$work/out" ||
		failed "$*: $(cat "$work/out")"
}

# expect_all FILE: the first process makes all the others, and each of these
# one; a fork is one line of log in its parent, and each process that made any
# has a line for its place.
expect_all() {
	count_lines "$1"
	[ "$logs" -eq $((2 * count)) ] || failed "$logs lines of log"
	[ "$totals" -eq $((2 * count + 1)) ] || failed "$totals processes tell"
	[ "$sites" -eq $((count + 1)) ] || failed "$sites places are told of"
	# A process tells once.
	grep -xE "$total" "$1" | sed 's/,.*//' | sort | uniq -d >"$work/twice"
	[ ! -s "$work/twice" ] || failed "told twice: $(head -3 "$work/twice")"
}

run_with "FLATFORK_LOG=$work/said" "FLATFORK_STATS=$work/said"
expect_all "$work/said"

# A reader that is slower than those who write.
{ FLATFORK_LOG=stderr FLATFORK_STATS=stderr run_with 2>&1 >&3 |
	cat >"$work/piped"; } 3>"$work/none"
grep -qx "$count of $count" "$work/out" || failed "to a pipe"
count_lines "$work/piped"
[ $((logs + totals + sites)) -gt 0 ] || failed "nothing came out of the pipe"

[ "$failures" -eq 0 ] && echo passed
exit $((failures > 0))
