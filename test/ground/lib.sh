# shellcheck shell=bash
# The guest plain, with lazy forks, with forks lent behind protection keys (where
# the CPU has them) and with flatfork off, and what they must have in common.
# Sourced by the tests of this room.
#
# A test sets
#   outer    command that arranges the fault, in front of everything
#   inner    the same, but run with the environment of the way
#   fault    faults to inject, a list with commas
#   guest    the program
#   options  its options
#   first    a library that has to come first in LD_PRELOAD, with its colon
# and calls all_ways, then what else must be true of the lazy run: its log and
# its counters are what is asked for.

# shellcheck source=test/ways.sh
. "$(dirname "${BASH_SOURCE[0]}")/../ways.sh"

noop=$FF_BUILD/test/bench/noop
ground=$FF_BUILD/test/ground
outer=()
inner=()
guest=$ground/guest
fault=
options=()
base=(PATH="$PATH")
seconds=${FF_SECONDS:-60}
logs=yes
unset FF_WAYS
choose_ways lazy off

# All forks of the guest without --nested, those of its children included.
GUEST_FORKS=9

# run_guest NAME [VAR=VALUE...]
run_guest() {
	local name=$1
	shift
	make_place "$name"
	anybody_writes "$name"
	run_there "$name" ${outer[@]+"${outer[@]}"} env "$@" \
		${inner[@]+"${inner[@]}"} \
		"$guest" ${options[@]+"${options[@]}"} "$noop"
}

# drop_ours NAME: errors are compared without the lines that are flatfork's
drop_ours() {
	sed -i '/^flatfork\[/d' "$work/$1/err"
}

# run_way WAY [VAR=VALUE...]: nothing that the program says differs.
run_way() {
	local way=$1
	shift
	way_env "$way"
	run_guest "$way" "${with[@]}" "$@"
	[ "${log_to:-}" = stderr ] &&
		grep '^flatfork\[' "$work/$way/err" >"$work/$way/log"
	drop_ours "$way"
	same_as_plain "$way"
}

# run_user [VAR=VALUE...]: as a user has it, and for a busy machine
run_user() {
	echo "# $*"
	way_env user
	run_guest user "${with[@]}" FLATFORK_BUDGET_MS=20000 "$@"
}

all_ways() {
	local way to=()

	way_env plain
	run_guest plain "${with[@]}"
	case $(status_of plain) in
	0) ;;
	77) skip "$(tail -n 1 "$work/plain/err")" ;;
	*)
		cat "$work/plain/err"
		failed "plain: status $(status_of plain): no oracle"
		verdict
		;;
	esac
	[ -z "${log_to:-}" ] || to=(FLATFORK_LOG="$log_to")
	for way in "${ways[@]}"; do
		case $way in
		off) run_way off ;;
		lazy) run_way lazy FLATFORK_FAULT="$fault" "${to[@]}" ;;
		fence) run_way fence FLATFORK_FAULT="fence-all,$fault" \
			"${to[@]}" ;;
		esac
	done
}

# counter KEY [WAY]: its sum over all processes of the run.
counter() {
	count "${2:-lazy}" "$1"
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

	grep -qE "$line.*($1)" "$work/lazy/log" || {
		failed "no line \"fork at SITE: real: $1\" in the log:"
		head -n 20 "$work/lazy/log"
	}
	if grep -E '^flatfork\[[0-9]+\]: fork at ' "$work/lazy/log" |
		grep -vE "$line"; then
		failed "these forks were not libc's"
	fi
	[ "$(counter forks_real)" -gt 0 ] || failed "forks_real is 0"
	[ "$(counter forks_lazy)" -eq 0 ] ||
		failed "forks_lazy is $(counter forks_lazy), not 0"
}

# Either way is right, but every fork is counted once.
expect_all_counted() {
	local way

	for way in lazy fence; do
		[ -e "$work/$way/stats" ] || continue
		[ "$(forks $way)" -eq "$GUEST_FORKS" ] && continue
		failed "$way: $(forks $way) forks, $GUEST_FORKS made:"
		cat "$work/$way/stats"
	done
}
