# shellcheck shell=bash
# The guest plain, with lazy forks, with forks lent behind protection keys (where
# the CPU has them) and with flatfork off, and what they must have in common.
# Sourced by the tests of this room.
#
# A test sets
#   outer    command that arranges the fault, in front of everything
#   inner    the same, but run with the environment of the mode
#   fault    faults to inject, a list with commas
#   guest    the program
#   options  its options
#   first    a library that has to come first in LD_PRELOAD, with its colon
# and calls all_ways, then what else must be true of the lazy run: its log and
# its counters are what is asked for.

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
fault=
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

# run_guest NAME [VAR=VALUE...]: output, errors and status in $work/NAME.*; after
# FF_SECONDS the watchdog's
run_guest() {
	local name=$1
	shift
	timeout -k 5 "${FF_SECONDS:-60}" "${outer[@]}" env "$@" "${inner[@]}" \
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

# run_with_log NAME [VAR=VALUE...]: preloaded, $work/NAME.{log,stats}
run_with_log() {
	local name=$1 log=$work/$1.log
	shift
	: >"$log"
	: >"$work/$name.stats"
	chmod 666 "$log" "$work/$name.stats"
	run_guest "$name" "LD_PRELOAD=$first$preload" FLATFORK_FORK=lazy \
		FLATFORK_LOG="${log_to:-$log}" \
		FLATFORK_STATS="$work/$name.stats" "$@"
	[ "${log_to:-}" = stderr ] &&
		grep '^flatfork\[' "$work/$name.err" >"$log"
	same_as_plain "$name"
}

all_ways() {
	run_guest plain ${first:+"LD_PRELOAD=${first%:}"}
	read -r status <"$work/plain.status"
	[ "$status" -eq 77 ] && skip "$(tail -n 1 "$work/plain.err")"
	if [ "$status" -ne 0 ]; then
		cat "$work/plain.err"
		check_failed "plain: status $status: no oracle"
		verdict
	fi
	run_with_log lazy FLATFORK_LEND=off FLATFORK_FAULT="$fault"
	run_guest off "LD_PRELOAD=$first$preload" FLATFORK=off
	same_as_plain off
	if grep -qw ospke /proc/cpuinfo; then
		run_with_log fence FLATFORK_FAULT="fence-all,$fault"
	fi
}

# counter KEY [WAY]: its sum over all processes of the run.
counter() {
	sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$work/${2:-lazy}.stats" |
		awk '{ sum += $1 } END { print sum + 0 }'
}

# forks [WAY]: all that were made, each counted once, whatever became of it.
forks() {
	echo $(($(counter forks_real "$@") + $(counter forks_lazy "$@") +
		$(counter forks_lent "$@")))
}

# expect_real PATTERN: every fork was libc's, and the log says so and why, the
# reason matching PATTERN (an extended regular expression).
expect_real() {
	local line='^flatfork\[[0-9]+\]: fork at .+: real: '

	grep -qE "$line.*($1)" "$work/lazy.log" || {
		check_failed "no line \"fork at SITE: real: $1\" in the log:"
		head -n 20 "$work/lazy.log"
	}
	if grep -E '^flatfork\[[0-9]+\]: fork at ' "$work/lazy.log" |
		grep -vE "$line"; then
		check_failed "these forks were not libc's"
	fi
	[ "$(counter forks_real)" -gt 0 ] || check_failed "forks_real is 0"
	[ "$(counter forks_lazy)" -eq 0 ] ||
		check_failed "forks_lazy is $(counter forks_lazy), not 0"
}

# Either way is right, but every fork is counted once.
expect_all_counted() {
	local way

	for way in lazy fence; do
		[ -e "$work/$way.stats" ] || continue
		[ "$(forks $way)" -eq "$GUEST_FORKS" ] && continue
		check_failed "$way: $(forks $way) forks, $GUEST_FORKS made:"
		cat "$work/$way.stats"
	done
}
