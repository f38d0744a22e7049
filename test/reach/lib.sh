# shellcheck shell=bash
# A program plain and with flatfork, both under the same filter. Sourced.
: "${FF_BUILD:?the build directory}"
here=$(cd "$(dirname "$0")" && pwd) || exit 1
preload=$FF_BUILD/libflatfork-preload.so
reach=$FF_BUILD/test/reach
noop=$FF_BUILD/test/bench/noop
work=$(mktemp -d /tmp/flatfork-reach.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD "${!FLATFORK@}"
failures=0
ulimit -c 0

failed() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

verdict() {
	[ "$failures" -eq 0 ]
	exit
}

# profile_of NAME: its file, or "all"
profile_of() {
	if [ "$1" = all ]; then
		echo all
	else
		echo "$here/profiles/$1"
	fi
}

# run NAME VAR=VALUE... -- PROFILE [CALL=ACTION...] -- PROGRAM [ARG...]:
# output and status into $work/NAME.{out,status}. `under` is not preloaded.
run() {
	local name=$1 vars=() profile
	shift
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	profile=$(profile_of "$1")
	shift
	local changes=()
	while [ "$1" != -- ]; do
		changes+=("$1")
		shift
	done
	shift
	{ timeout -k 5 -s KILL "${FF_SECONDS:-60}" "$reach/under" "$profile" \
		${changes[@]+"${changes[@]}"} -- env ${vars[@]+"${vars[@]}"} \
		"$@" </dev/null >"$work/$name.out" 2>&1; } 2>/dev/null
	echo $? >"$work/$name.status"
	[ "$(<"$work/$name.status")" != 77 ] || {
		cat "$work/$name.out"
		exit 77
	}
}

# with_us NAME [VAR=VALUE...] -- as run: preloaded
with_us() {
	local name=$1
	shift
	run "$name" LD_PRELOAD="$preload" FLATFORK_FORK=lazy "$@"
}

# same WHAT: as plain
same() {
	cmp -s "$work/plain.out" "$work/$1.out" &&
		cmp -s "$work/plain.status" "$work/$1.status" && return
	failed "${*:2}: $1 differs from plain:"
	diff "$work/plain.status" "$work/$1.status"
	diff "$work/plain.out" "$work/$1.out" | head -20
}

# counter KEY COMM: of FLATFORK_STATS=$work/stats
counter() {
	sed -n "s/.*\"comm\":\"$2\".*\"$1\": *\([0-9]*\).*/\1/p" "$work/stats" |
		awk '{ sum += $1 } END { print sum + 0 }'
}

# expect KEY COMM N WHAT
expect() {
	[ "$(counter "$1" "$2")" = "$3" ] && return
	failed "${*:4}: $1 of $2 is $(counter "$1" "$2"), not $3"
	cat "$work/stats" "$work/log" 2>/dev/null
}
