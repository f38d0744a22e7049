# shellcheck shell=bash
# What the scripts of this directory share; sourced, not run.

# shellcheck source=test/ways.sh
. "$(dirname "${BASH_SOURCE[0]}")/../ways.sh"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
base=(PATH="$PATH")
unset LD_LIBRARY_PATH
export LC_ALL=C

fail() {
	failed "$@"
}

# debs RELEASE PACKAGE...: the folder with them, in $tree
debs() {
	local rc=0

	tree=$(bash "$here/debs.sh" "$1" "$FF_BUILD/debs" "${@:2}") || rc=$?
	[ "$rc" -ne 77 ] || { echo "$tree" && exit 77; }
	[ "$rc" -eq 0 ] || { echo "$tree" && exit 1; }
}

# one NAME VARIABLE=VALUE... -- COMMAND...: into $work/one-NAME
one() {
	local name=one-$1 vars=()
	shift
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	run "$name" env ${vars[@]+"${vars[@]}"} "$@"
}

# same WHAT STATUS COMMAND...: plain, with us, and with us switched off; $preload
# is what LD_PRELOAD says, $object if empty
preload=''
same() {
	local what=$1 want=$2 way object=${preload:-$object}
	shift 2

	echo "# $what"
	run plain "$@"
	[ "$(status_of plain)" = "$want" ] ||
		fail "$what: plain status is $(status_of plain):" \
			"$(cat "$work/plain/err")"
	[ "$want" -ne 0 ] || [ -s "$work/plain/out" ] ||
		fail "$what: says nothing"
	for way in user off; do
		way_env "$way"
		run "$way" env "${with[@]}" "$@"
		same_as_plain "$way"
	done
}

# not_in_force WHAT COMMAND...: we are in the process, and say that we are not
# in force, WHAT being not known; none else says anything
not_in_force() {
	local what=$1
	shift

	rm -f "$work/log" "$work/stats"
	one log LD_PRELOAD="$object" FLATFORK_LOG="$work/log" \
		FLATFORK_FORK=lazy FLATFORK_STATS="$work/stats" -- "$@"
	[ -e "$work/log" ] || {
		fail "$what: there is no log"
		return
	}
	[ "$(sed 's/^[^:]*: //' "$work/log" | sort -u)" = \
		"not in force: $what is not known" ] ||
		fail "$what: the log says: $(cat "$work/log")"
	[ ! -e "$work/stats" ] || fail "$what: there are counters"
}

# not_claimed COMMAND...: the command says of such a process, which stays, that
# we are not in force in it
not_claimed() {
	local pid rc=0 i

	LD_PRELOAD=$object "$@" &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		grep -qs pause "/proc/$pid/wchan" && break
		sleep 0.1
	done
	"$FF_BUILD/flatfork" status "$pid" >"$work/status" 2>&1 || rc=$?
	kill "$pid" && wait "$pid" 2>/dev/null
	[ "$rc" -eq 1 ] && grep -qE 'in force +no: its libc' "$work/status" ||
		fail "status: $rc: $(cat "$work/status")"
}

finish() {
	[ "$failures" -eq 0 ] && echo passed
	exit "$((failures > 0))"
}
