# shellcheck shell=bash
# What the low-memory tests have in common: a hog in one of four modes, tight
# conditions between its "ready" and its children, one verdict. Sourced.
#
# A test defines tighten and loosen (they change the machine and put it back;
# loosen may run twice) and calls run_hog and the checks.

: "${FF_BUILD:?the build directory}"
preload=$FF_BUILD/libflatfork-preload.so
hog=$FF_BUILD/test/lowmem/hog
noop=$FF_BUILD/test/bench/noop
work=$(mktemp -d) || exit 1
failures=0
fifo=$work/orders
mkfifo "$fifo" "$work/pipe" || exit 1

skip() {
	echo "skipped: $*"
	exit 77
}

check_failed() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

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

# The environment of a mode: plain, auto, lazy, off. auto lends where the CPU
# has protection keys, lazy does not.
mode_env() {
	local lend=guarded

	[ "$1" = lazy ] && lend=off
	case $1 in
	plain) ;;
	off) echo "LD_PRELOAD=$preload" FLATFORK=off ;;
	*) echo "LD_PRELOAD=$preload" "FLATFORK_FORK=$1" \
		FLATFORK_LEND=$lend FLATFORK_BUDGET_MS=20000 \
		"FLATFORK_STATS=$work/stats" "FLATFORK_LOG=$work/log" ;;
	esac
}

# run_hog MODE HOG-ARGUMENTS...: $work/out is what it printed. Status: the
# hog's; 77 when the machine could not be made tight.
run_hog() {
	local mode=$1 env line status
	shift
	read -r -a env <<<"$(mode_env "$mode")"
	: >"$work/out"
	rm -f "$work/stats" "$work/log"
	# shellcheck disable=SC2094  # two ends of one fifo
	(
		enter_group
		exec timeout -k 5 60 env "${env[@]}" \
			"$hog" "$@" "$noop" <"$fifo" >"$work/pipe"
	) &
	hog_pid=$!
	exec 8>"$fifo" 9<"$work/pipe"
	IFS= read -r -t 50 line <&9 || line=
	if [ "$line" = ready ]; then
		# Between the two only builtins: a shell that forks would
		# meet the same limits.
		tighten && echo go >&8
		exec 8>&-
		while IFS= read -r -t 60 line <&9; do
			echo "$line" >>"$work/out"
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

# all_children MODE COUNT PATTERN: in the last run exactly COUNT children ended
# as PATTERN says, and the parent went on to its end with its memory untouched.
all_children() {
	local mode=$1 count=$2 want=$3 got

	got=$(grep -c "^child [0-9]*: $want\$" "$work/out")
	if [ "$got" -ne "$count" ]; then
		check_failed "$mode: $count times \"$want\" expected, got:"
		cat "$work/out"
		[ -e "$work/log" ] && sed 's/^/  log: /' "$work/log" | head -20
	fi
	parent_lives "$mode"
}

parent_lives() {
	local line

	for line in "memory intact" "left over: -1" "done"; do
		grep -qx "$line" "$work/out" ||
			check_failed "$1: the parent did not say \"$line\""
	done
}

# lazy_at_least MODE N: the counters of the last run; what was lent was not
# copied either.
lazy_at_least() {
	local n

	n=$(sed -n '/"comm": *"hog"/s/[^a-z_0-9]/ /gp' "$work/stats" \
		2>/dev/null | awk '{
			sum = 0
			for (i = 1; i < NF; i++)
				if ($i == "forks_lazy" || $i == "forks_lent")
					sum += $(i + 1)
			if (sum > most)
				most = sum
		}
		END { print most + 0 }')
	[ "$n" -ge "$2" ] ||
		check_failed "$1: forks_lazy is $n, at least $2 expected"
}

verdict() {
	[ "$failures" -eq 0 ]
	exit
}
