#!/usr/bin/env bash
# Each thing a lazy fork stands on, taken away by an injected fault: libc's
# fork, the same results, one line of log for each fork that says why, and
# nothing left behind. Without the list of mappings by query nothing changes:
# there is the text.
#
# faults.sh NAME      names of src/host/fault.h, with commas, or "none"
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"

fault=${1:?the name of a fault}
# How busy the machine is shall not decide.
inner=(env FLATFORK_BUDGET_MS=20000)
[[ ${1-} != *lost ]] || inner=(env FLATFORK_BUDGET_MS=400)

# fault NAME [WHY]: why the log says that a fork is libc's, where it is. Each is
# a test: CMakeLists.txt reads this.
fault() {
	[ "$1" = "$fault" ] || return 0
	known=yes
	why=${2-}
}
known=
fault none
fault no-sud 'no syscall user dispatch$'
fault sud-off "syscall user dispatch can.t be switched on$"
fault sud-off-child "rolled back: child can't be mediated "
fault no-procmap
fault no-mem
fault no-mem,no-waitv
fault no-mem,no-readv 'its memory can.t be read$'
fault no-maps 'the list of mappings can.t be read$'
fault clone 'the kernel makes no lazy child$'
fault reserve "rolled back: child can't get its memory "
fault fetch "rolled back: child can't get its memory "
fault lies
fault lost "rolled back: child is lost in libc.s fork "
fault commit-all,lost "rolled back: child is lost in libc.s fork "
fault no-standin
fault no-arming
fault slow-child
fault slow-child,no-arming
[ -n "$known" ] || {
	echo "no such fault is known here: $fault"
	exit 1
}

lines() {
	grep -cE "^flatfork\[[0-9]+\]: fork at .+: $1" "$work/lazy/log"
}

# one_line_each FORKS
one_line_each() {
	[ "$(forks)" -eq "$1" ] || failed "$(forks) forks counted, not $1"
	[ "$(lines '')" -eq "$1" ] ||
		failed "$(lines '') lines for $1 forks"
	[ "$(lines real:)" -eq "$(counter forks_real)" ] ||
		failed "$(lines real:) lines of real forks," \
			"$(counter forks_real) counted"
	[ "$(grep -c . "$work/lazy/log")" -eq "$1" ] ||
		failed "the log has other lines"
}

show() {
	[ "$failures" -eq 0 ] || cat "$work/lazy/log" "$work/lazy/stats"
}

# Children of all kinds, from several places: not every one needs memory.
all_ways
one_line_each "$GUEST_FORKS"
if [ -z "$why" ] || [ "$fault" = fetch ]; then
	[ "$(counter forks_lazy)" -ge 3 ] ||
		failed "forks_lazy is $(counter forks_lazy), not >= 3"
else
	expect_real "$why"
	[ "$(lines "real: $why")" -eq "$GUEST_FORKS" ] ||
		failed "another reason than $why is given, too"
fi
show

# Children of one kind each, all of which need memory they do not have.
guest=$ground/keeps
for kind in exec work; do
	options=("$kind")
	all_ways
	one_line_each 5
	if [ -n "$why" ]; then
		expect_real "$why"
		[ "$(lines "real: $why")" -eq 5 ] ||
			failed "$kind: another reason than $why"
	elif [ "$kind" = exec ]; then
		[ "$(lines "lazy: child exec'ed")" -eq 5 ] ||
			failed "$kind: not all forks were lazy"
	elif [ "$fault" = lies ]; then
		[ "$(lines 'real: rolled back: child was killed')" -eq 5 ] ||
			failed "$kind: a reason was believed"
	else
		[ "$(lines 'real: rolled back: child ends without exec')" \
			-eq 5 ] || failed "$kind: not all rolled back"
	fi
	grep -qE 'OVER|: [^0].* differ' "$work/lazy/out" &&
		failed "$kind: something is not as it was"
	show
done

# Children that are committed, and the time of the last is up: who stands in for
# its parent serves it; without one it has all its memory before its parent goes
# on. Those that can't begin, or don't in time, never were.
late_child() {
	local exec=2 late=1 never=0 children=1
	local never_why="can't be|time budget"

	case $fault in
	none) children=2 ;;
	no-arming | slow-child*) exec=0 late=0 never=3 ;;
	esac
	options=(late)
	inner=(env FLATFORK_BUDGET_MS=1500 KEEPS_CHILDREN="$work/children")
	all_ways
	one_line_each 5
	[ "$(lines "lazy, committed: child exec'ed")" -eq $exec ] ||
		failed "late: not $exec committed children exec'ed"
	[ "$(lines "lazy, committed: let go: child time budget")" -eq $late ] ||
		failed "late: not $late children were let go"
	# its end may be seen before its word
	[ "$(lines "real: (rolled back: child ($never_why)|a signal waits)")" \
		-eq $never ] || failed "late: not $never children never were"
	[ "$(sed -n 2p "$work/children")" -eq $children ] ||
		failed "late: not $children children are there"
	show
}

case $fault in none | no-standin | no-arming | slow-child*) late_child ;; esac
verdict
