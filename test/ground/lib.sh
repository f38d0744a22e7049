# shellcheck shell=bash
# The guest plain, under flatfork and with flatfork off, and what they must
# have in common. Sourced by the tests of this room.
#
# A test sets
#   outer    command that arranges the fault, in front of everything
#   inner    the same, but run with the environment of the mode
#   guest    the program
#   options  its options
#   first    a library that has to come first in LD_PRELOAD, with its colon
# and calls three_ways, then what else must be true.

: "${FF_BUILD:?the build directory}"
preload=$FF_BUILD/libflatfork-preload.so
noop=$FF_BUILD/test/bench/noop
ground=$FF_BUILD/test/ground
work=$(mktemp -d /tmp/flatfork-ground.XXXXXX) || exit 1
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
failures=0
outer=()
inner=()
guest=$ground/guest
options=()
first=
unset LD_PRELOAD "${!FLATFORK@}"

# All forks of the guest without --nested, those of its children included.
GUEST_FORKS=9

skip() {
	echo "skipped: $*"
	exit 77
}

check_failed() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

verdict() {
	[ "$failures" -eq 0 ]
	exit
}

# run_guest NAME [VAR=VALUE...]: output, errors and status in $work/NAME.*
run_guest() {
	local name=$1
	shift
	timeout -k 5 60 "${outer[@]}" env "$@" "${inner[@]}" \
		"$guest" "${options[@]}" "$noop" \
		>"$work/$name.out" 2>"$work/$name.err" </dev/null
	echo $? >"$work/$name.status"
}

# same_as_plain NAME: nothing the program says differs. Errors are compared
# without the lines that are flatfork's own.
same_as_plain() {
	local what

	grep -v '^flatfork\[' "$work/$1.err" >"$work/$1.own"
	mv "$work/$1.own" "$work/$1.err"
	for what in status out err; do
		diff -u --label "plain $what" --label "$1 $what" \
			"$work/plain.$what" "$work/$1.$what" ||
			check_failed "$1: $what differs from plain"
	done
}

three_ways() {
	local log=$work/log

	[ "${log_to:-}" = stderr ] && log=stderr
	run_guest plain ${first:+"LD_PRELOAD=${first%:}"}
	read -r status <"$work/plain.status"
	[ "$status" -eq 77 ] && skip "$(tail -n 1 "$work/plain.err")"
	if [ "$status" -ne 0 ]; then
		cat "$work/plain.err"
		check_failed "plain: status $status: no oracle"
		verdict
	fi
	: >"$work/log"
	: >"$work/stats"
	chmod 666 "$work/log" "$work/stats"
	run_guest lazy "LD_PRELOAD=$first$preload" FLATFORK_FORK=lazy \
		FLATFORK_LOG="$log" FLATFORK_STATS="$work/stats"
	[ "$log" = stderr ] &&
		grep '^flatfork\[' "$work/lazy.err" >"$work/log"
	run_guest off "LD_PRELOAD=$first$preload" FLATFORK=off
	same_as_plain lazy
	same_as_plain off
}

# counter KEY: its sum over all processes of the run under flatfork.
counter() {
	sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$work/stats" |
		awk '{ sum += $1 } END { print sum + 0 }'
}

# expect_real PATTERN: every fork was libc's, and the log says so and why, the
# reason matching PATTERN (an extended regular expression).
expect_real() {
	local line='^flatfork\[[0-9]+\]: fork at .+: real: '

	grep -qE "$line.*($1)" "$work/log" || {
		check_failed "no line \"fork at SITE: real: $1\" in the log:"
		head -n 20 "$work/log"
	}
	if grep -E '^flatfork\[[0-9]+\]: fork at ' "$work/log" |
		grep -vE "$line"; then
		check_failed "these forks were not libc's"
	fi
	[ "$(counter forks_real)" -gt 0 ] || check_failed "forks_real is 0"
	[ "$(counter forks_lazy)" -eq 0 ] ||
		check_failed "forks_lazy is $(counter forks_lazy), not 0"
}

# Either way is right, but every fork is counted once.
expect_all_counted() {
	local sum=$(($(counter forks_real) + $(counter forks_lazy)))

	if [ "$sum" -ne "$GUEST_FORKS" ]; then
		check_failed "$sum forks counted, $GUEST_FORKS made:"
		cat "$work/stats"
	fi
}
