#!/bin/bash
# What is done under filters that others have put a process under.
#
#	filters.sh profile NAME
#	filters.sh without ACTION
#	filters.sh logged | asked-once | refused | copies
. "$(dirname "$0")/lib.sh"

figures=(FLATFORK_STATS="$work/stats" FLATFORK_LOG="$work/log")

# As every such place allows for: perl with some memory starts its children
# lazily, vfork is guarded, spawns are ours, and nothing is told of a filter.
run_profile() {
	local name=$1

	under plain -- "$name" -- "$reach/starts" "$noop"
	with_us lazy "${figures[@]}" -- "$name" -- "$reach/starts" "$noop"
	same lazy "$name"
	expect forks_lazy starts 3 "$name"
	expect vforks starts 3 "$name"
	expect spawns starts 3 "$name"
	grep seccomp "$work/log" && failed "$name: the log tells of seccomp"
	rm -f "$work/stats" "$work/log"
	command -v perl >/dev/null || return
	# shellcheck disable=SC2016 # perl's
	set -- perl -e 'my $x = "x" x (200 << 20); for (1 .. 5) {
		my $pid = fork; exec $ARGV[0] unless $pid;
		waitpid $pid, 0; print "$?\n" }' "$noop"
	under plain -- "$name" -- "$@"
	under auto LD_PRELOAD="$object" "${figures[@]}" -- "$name" -- "$@"
	same auto "$name: perl"
	[ "$(counter forks_lazy perl)" -ge 4 ] || {
		failed "$name: perl: forks_lazy is $(counter forks_lazy perl)"
		cat "$work/log"
	}
}

# All calls that are asked for.
calls() {
	sed -n 's/^X([a-z0-9_]*, "\([a-z0-9_]*\).*/\1/p' \
		"$here/../../src/process/asks.def" | sort -u
}

# Each of them is not allowed: what plain libc can do there is done. Where
# libc's own posix_spawn needs clone3, and gives up, ours does without.
run_without() {
	local call number=0

	for call in $(calls); do
		case $call in
		exit_group | clone3) continue ;;
		esac
		under plain -- all "$call=$1" -- "$reach/starts" "$noop"
		[ "$(status_of plain)" = 0 ] || continue
		with_us lazy -- all "$call=$1" -- "$reach/starts" "$noop"
		same lazy "$call=$1"
		number=$((number + 1))
	done
	[ "$number" -gt 40 ] || failed "only $number calls were tried"
}

# A filter that only writes down what is called is in nobody's way.
run_logged() {
	with_us lazy "${figures[@]}" -- all memfd_create=log execveat=log -- \
		"$reach/starts" "$noop"
	expect forks_lazy starts 3 logged
}

# What is asked is asked once: a call that nothing else makes here is made
# once by a process, whatever it starts.
run_asked_once() {
	base+=(UNDER_COUNT="$work/count")
	under plain -- all memfd_create=count -- "$reach/starts" "$noop"
	[ ! -e "$work/count" ] || failed "plain: memfd_create is called"
	with_us lazy -- all memfd_create=count -- "$reach/starts" "$noop"
	same lazy asked-once
	[ "$(<"$work/count")" = 1 ] ||
		failed "it was asked $(<"$work/count") times"
}

# Where the user says so nobody asks.
run_refused() {
	with_us lazy "${figures[@]}" FLATFORK_SECCOMP=refuse -- all \
		memfd_create=log -- "$reach/starts" "$noop"
	expect forks_lazy starts 0 refused
	expect forks_real starts 3 refused
	expect vforks starts 0 refused
	grep -q 'real: seccomp is in force' "$work/log" ||
		failed "refused: the log does not say it"
}

# Where a core dump would end all who share memory, a copy asks.
run_copies() {
	under plain -- docker fcntl=kill -- "$reach/starts" "$noop"
	with_us lazy "${figures[@]}" FLATFORK_FAULT=core-kills -- docker -- \
		"$reach/starts" "$noop"
	expect forks_lazy starts 3 copies
	expect vforks starts 3 copies
	with_us lazy FLATFORK_FAULT=core-kills -- docker fcntl=kill -- \
		"$reach/starts" "$noop"
	same lazy copies
}

what=${1:?a case}
shift
"run_${what//-/_}" "$@"
verdict
