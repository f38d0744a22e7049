# shellcheck shell=bash
# A program plain and with flatfork, both under the same filter. Sourced.

# shellcheck source=test/ways.sh
. "$(dirname "${BASH_SOURCE[0]}")/../ways.sh"

here=$(cd "$(dirname "$0")" && pwd) || exit 1
reach=$FF_BUILD/test/reach
noop=$FF_BUILD/test/bench/noop
base=(PATH="$PATH")
seconds=${FF_SECONDS:-60}
outer=() # a program around the filter

# profile_of NAME: its file, or "all"
profile_of() {
	if [ "$1" = all ]; then
		echo all
	else
		echo "$here/profiles/$1"
	fi
}

# under NAME VAR=VALUE... -- PROFILE [CALL=ACTION...] -- PROGRAM [ARG...]: runs
# it under the filter; the program that makes that is not preloaded.
under() {
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
	confine ${outer[@]+"${outer[@]}"} "$reach/under" "$profile" \
		${changes[@]+"${changes[@]}"} --
	run "$name" env ${vars[@]+"${vars[@]}"} "$@"
	confine
	[ "$(status_of "$name")" != 77 ] || {
		cat "$work/$name/out" "$work/$name/err"
		exit 77
	}
}

# with_us NAME [VAR=VALUE...] -- as under: preloaded, and nobody stands in for
# the program on a busy machine
with_us() {
	local name=$1
	shift
	under "$name" LD_PRELOAD="$object" FLATFORK_FORK=lazy \
		FLATFORK_BUDGET_MS=9999 "$@"
}

# same NAME WHAT: as plain
same() {
	echo "# ${*:2}"
	same_as_plain "$1"
}

# counter KEY COMM: of FLATFORK_STATS=$work/stats
counter() {
	count . "$1" "$2"
}

# expect KEY COMM N WHAT
expect() {
	[ "$(counter "$1" "$2")" = "$3" ] && return
	failed "${*:4}: $1 of $2 is $(counter "$1" "$2"), not $3"
	cat "$work/stats" "$work/log" 2>/dev/null
}

# flat COMM: forks that were lazy, or lent where the CPU can and the filter lets it
flat() {
	echo $(($(counter forks_lazy "$1") + $(counter forks_lent "$1")))
}

# expect_flat COMM N WHAT
expect_flat() {
	[ "$(flat "$1")" = "$2" ] && return
	failed "${*:3}: $(flat "$1") forks of $1 were flat, not $2"
	cat "$work/stats" "$work/log" 2>/dev/null
}
