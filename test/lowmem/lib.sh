# shellcheck shell=bash
# What the low-memory tests have in common: a hog in one of four ways, tight
# conditions between its "ready" and its children, one verdict. Sourced.
#
# A test defines tighten and loosen (they change the machine and put it back;
# loosen may run twice) and calls run_hog and the checks.

# shellcheck source=test/ways.sh
. "$(dirname "${BASH_SOURCE[0]}")/../ways.sh"

hog=$FF_BUILD/test/lowmem/hog
noop=$FF_BUILD/test/bench/noop
fifo=$work/orders
mkfifo "$fifo" "$work/pipe" || exit 1
logs=yes
more=(FLATFORK_BUDGET_MS=20000)
hog_way= # of the last run
out=     # what it printed

meminfo_mib() {
	local key value rest

	while read -r key value rest; do
		if [ "$key" = "$1:" ]; then
			echo $((value / 1024))
			return
		fi
	done </proc/meminfo
}

finish() {
	loosen
	[ -n "${hog_pid:-}" ] && kill "$hog_pid" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 143' INT TERM HUP

# run_hog WAY HOG-ARGUMENTS...: status is the hog's; 77 when the machine could
# not be made tight.
run_hog() {
	local line status

	hog_way=$1
	shift
	way_env "$hog_way"
	make_place "$hog_way"
	out=$work/$hog_way/out
	: >"$out"
	# shellcheck disable=SC2094  # two ends of one fifo
	(
		enter_group
		become "$hog_way" env ${with[@]+"${with[@]}"} "$hog" "$@" "$noop"
	) <"$fifo" >"$work/pipe" &
	hog_pid=$!
	exec 8>"$fifo" 9<"$work/pipe"
	IFS= read -r -t 50 line <&9 || line=
	if [ "$line" = ready ]; then
		# Between the two only builtins: a shell that forks would
		# meet the same limits.
		tighten && echo go >&8
		exec 8>&-
		while IFS= read -r -t 60 line <&9; do
			echo "$line" >>"$out"
		done
		loosen
	fi
	exec 8>&- 9<&-
	wait "$hog_pid"
	status=$?
	hog_pid=
	return "$status"
}

# Overridden by the test in a memory cgroup.
enter_group() { :; }

# all_children WHAT COUNT PATTERN: in the last run exactly COUNT children ended
# as PATTERN says, and the parent went on to its end with its memory untouched.
all_children() {
	local what=$1 count=$2 want=$3 got

	got=$(grep -c "^child [0-9]*: $want\$" "$out")
	if [ "$got" -ne "$count" ]; then
		failed "$what: $count times \"$want\" expected, got:"
		cat "$out"
		[ -e "$work/$hog_way/log" ] &&
			sed 's/^/  log: /' "$work/$hog_way/log" | head -20
	fi
	parent_lives "$what"
}

parent_lives() {
	local line

	for line in "memory intact" "left over: -1" "done"; do
		grep -qx "$line" "$out" ||
			failed "$1: the parent did not say \"$line\""
	done
}

# lazy_at_least WHAT N: the counters of the last run; what was lent was not
# copied either.
lazy_at_least() {
	local n

	n=$(($(count "$hog_way" forks_lazy hog) +
		$(count "$hog_way" forks_lent hog)))
	[ "$n" -ge "$2" ] ||
		failed "$1: forks_lazy is $n, at least $2 expected"
}
