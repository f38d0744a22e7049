# shellcheck shell=bash
# The harness of the real programs: sourced by one script per program.
#
# A scenario is one command. It runs several times in a fresh directory of the
# same name: plain, and then the ways lazy, off, and fence where the CPU can (see
# test/ways.sh). Plain is the oracle: standard output, standard error, the way it
# ended, the files it left and the processes it did not reap must be the same.
# With -l COMM the statistics of the lazy run must also say that COMM made at
# least one child lazily.
#
#   needs PROGRAM...            skip (77) when one of them is missing
#   suite_forks_by FILE...      -l is only asked for if one imports fork
#   suite_may_spawn FILE...     ... and not if one imports posix_spawn, too
#   suite_file NAME <<EOF       a program for the scenarios: $P/NAME
#   compare NAME [options] -- command...
#       -l COMM   COMM must fork lazily      -t SEC   limit (default 60)
#       -s FUNC   prepares the directory     -i FILE  standard input
#       -f SED    applied to what it printed -x GLOB  a path not compared
#       -b        big: fence and off are left to its siblings
#       -r COMM   as a user has it, of the forks of each place in COMM behind the
#                 third one in twenty may be real; other ways: siblings
#       -o        orphans are not compared (their number is a race in plain)
#       -d        the command is not preloaded: it starts the program itself,
#                 by "$FF_WITH program...", and so can drive a server
#   suite_end                   the verdict
#
# Knobs for debugging: FF_SUITE_ONLY=GLOB runs the scenarios whose name
# matches, FF_SUITE_KEEP=1 keeps the directory, FF_SUITE_LOG=1 shows the
# decisions of a lazy run that failed. FF_WAYS is the list of what is compared
# with plain.
#
# Rules: nothing outside the temporary directory is written; servers listen on
# loopback or in that directory; nobody waits without a limit.
umask 022

# shellcheck source=test/ways.sh
. "$(dirname "${BASH_SOURCE[0]}")/../ways.sh"

suite_name=$(basename "$0" .sh)
suite_runs=0
suite_asks_lazy=yes
suite_env=()
choose_ways lazy off
export LC_ALL=C.UTF-8

mkdir "$work/prog"
P=$work/prog
LOOK=$P/look
cp "$FF_BUILD/suite-look" "$LOOK" || exit 1

suite_cleanup() {
	if [ "${FF_SUITE_KEEP:-}" ]; then
		echo "# kept: $work"
	else
		rm -rf "$work"
	fi
}
trap suite_cleanup EXIT
trap 'exit 1' INT TERM HUP

# Programs that make children by posix_spawn or vfork only have no fork that
# could be lazy; they are compared all the same.
suite_forks_by() {
	local f
	for f; do
		[ -f "$f" ] || f=$(command -v "$f")
		f=$(readlink -f "$f")
		if nm -D --undefined-only "$f" 2>/dev/null |
		    grep -qE ' (_?fork|_Fork|forkpty|daemon)(@|$)'; then
			return
		fi
	done
	echo "# none of $* imports fork: nothing to be lazy here"
	suite_asks_lazy=no
}

# Newer ones make by posix_spawn what they once made by fork.
suite_may_spawn() {
	local f
	for f; do
		[ -f "$f" ] || f=$(command -v "$f")
		[ -f "$f" ] || continue
		if nm -D --undefined-only "$(readlink -f "$f")" 2>/dev/null |
		    grep -qE ' posix_spawnp?(@|$)'; then
			echo "# ${f##*/} imports posix_spawn: nothing must be lazy"
			suite_asks_lazy=no
		fi
	done
}

# Users other than root may not reach the build directory.
suite_other_user() {
	cp "$object" "$work/" && object=$work/${object##*/}
}

suite_file() {
	cat >"$P/$1" && chmod 755 "$P/$1"
}

# For scenarios that wait for a server: await COMMAND...
suite_file await.sh <<'X'
await() {
	n=0
	until "$@" >/dev/null 2>&1; do
		n=$((n + 1)); [ $n -gt 300 ] && { echo "never: $*"; exit 1; }
		sleep 0.05
	done
}
X

# What the command left in its directory, a line per file.
suite_effects() {
	(cd "$1" && find . -mindepth 1 -path "${x_glob:-/none}" -prune -o \
		-printf '%y %m %P %l\n' | sort
	find . -path "${x_glob:-/none}" -prune -o -type f -print0 |
		sort -z | xargs -0r sha256sum)
}

# suite_run WAY command...: leaves out, err, report, effects, stats in
# $work/WAY. The directory of the run is named alike in every way.
suite_run() {
	local way=$1 now=$work/now
	shift
	make_place now
	anybody_writes now
	mkdir -m 1777 "$now/home" "$now/tmp"
	if [ "$o_setup" ] && ! (cd "$now/work" && "$o_setup") \
	    >"$now/setup" 2>&1; then
		cat "$now/setup"
		return 1
	fi
	more=()
	[ "$way" = plain ] || more=(FLATFORK_STATS="$now/stats")
	[ -z "${FF_SUITE_LOG:-}" ] || more+=(FLATFORK_LOG="$now/log")
	# How busy the machine is shall not decide.
	[ -z "$o_real" ] || more+=(FLATFORK_LOG="$now/log"
		FLATFORK_BUDGET_MS=20000)
	way_env "$way"
	with=(env ${with[@]+"${with[@]}"})
	base=(PATH="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
		HOME="$now/home" TMPDIR="$now/tmp" LC_ALL=C.UTF-8 TZ=UTC
		USER=root SHELL=/bin/sh TERM=dumb MODE="$way" P="$P"
		LOOK="$LOOK" ${suite_env[@]+"${suite_env[@]}"})
	if [ "$o_driver" ]; then
		base+=(FF_WITH="${with[*]}")
		with=()
	fi
	stdin=$o_stdin seconds=$((o_limit + 30))
	run_there now "$FF_BUILD/suite-watch" -r "$now/report" -t "$o_limit" \
		${with[@]+"${with[@]}"} "$@"
	suite_effects "$now/work" >"$now/effects"
	sed -i "s|$work|TMP|g" "$now/out" "$now/err" "$now/effects"
	if [ "$o_filter" ]; then
		sed -i -E "$o_filter" "$now/out" "$now/err"
	fi
	if [ "$o_orphans" ]; then
		sed -i '/^orphans/d' "$now/report"
	fi
	rm -rf "${work:?}/$way"
	mv "$now" "$work/$way"
	[ "${FF_SUITE_KEEP:-}" ] || rm -rf "$work/$way/work"
}

# In the words of the other lines.
failed() {
	failures=$((failures + 1))
	printf 'not ok - %s\n' "$suite_name: $*"
}

# few_real COMM: places of the run as a user has it that fork for real too often.
few_real() {
	local pids
	pids=$(sed -n "s/.*\"pid\":\([0-9]*\),\"comm\":\"$1\".*/\1/p" \
		"$work/auto/stats")
	awk -v pids="$pids" '
	BEGIN { n = split(pids, p); while (n) mine[p[n--]] }
	match($0, /^flatfork\[[0-9]+\]: [a-z]+ at [^ ]+/) {
		place = substr($0, 1, RLENGTH)
		pid = substr(place, 10)
		sub(/\].*/, "", pid)
		if (!(pid in mine) || ++forks[place] <= 3)
			next
		real[place] += / real: /
		some = 1
	}
	END {
		for (place in real)
			if (real[place] * 20 > forks[place] - 3)
				print place ": " real[place] " of " \
					forks[place] - 3
		if (!some)
			print "no place forked more than three times"
	}' "$work/auto/log"
}

# One way against plain; says what differs.
suite_judge() {
	local name=$1 way=$2 before=$failures

	same_as_plain "$way" status report out err effects
	if [ "$before" -ne "$failures" ]; then
		failed "$name ($way)"
		tail -n 30 "$work/$way/log"
	fi
	if [ "$way" = off ] && [ -s "$work/off/stats" ]; then
		failed "$name (off): off, and yet it wrote statistics"
	fi
	if [ "$way" = auto ] && [ "$o_real" ] &&
	    [ "$(few_real "$o_real")" ]; then
		failed "$name (auto): real behind the third:" \
			"$(few_real "$o_real")"
		grep -m 3 ' real: ' "$work/auto/log"
	fi
	if [ "$way" = lazy ] && [ "$o_lazy" ] &&
	    [ "$suite_asks_lazy" = yes ] &&
	    [ "$(count lazy forks_lazy "$o_lazy")" -eq 0 ]; then
		failed "$name (lazy): forks_lazy of $o_lazy is 0; statistics:"
		head -n 5 "$work/lazy/stats"
	fi
}

compare() {
	local name=$1 before=$failures way opt OPTIND=1 x_glob=''
	local o_lazy='' o_limit=60 o_setup='' o_stdin=/dev/null o_filter=''
	local o_orphans='' o_driver='' o_real='' scenario_ways=("${ways[@]}")
	shift
	while getopts l:t:s:i:f:x:r:odb opt; do
		case $opt in
		l)	o_lazy=$OPTARG ;;
		t)	o_limit=$OPTARG ;;
		s)	o_setup=$OPTARG ;;
		i)	o_stdin=$OPTARG ;;
		f)	o_filter=$OPTARG ;;
		x)	x_glob=$OPTARG ;;
		o)	o_orphans=yes ;;
		d)	o_driver=yes ;;
		b)	scenario_ways=(lazy) ;;
		r)	o_real=$OPTARG scenario_ways=(auto) ;;
		*)	exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	# shellcheck disable=SC2053 # a glob on purpose
	[[ $name == ${FF_SUITE_ONLY:-*} ]] || return 0
	suite_runs=$((suite_runs + 1))
	for way in plain "${scenario_ways[@]}"; do
		if ! suite_run "$way" "$@"; then
			failed "$name ($way) could not be prepared"
			return
		fi
	done
	# An oracle that hangs or leaves processes behind is no oracle.
	if ! grep -q '^status' "$work/plain/report" ||
	    grep -q '^left' "$work/plain/report"; then
		failed "$name (plain): the oracle itself failed:"
		cat "$work/plain/report" "$work/plain/err"
	fi
	suite_expect "$name"
	for way in "${scenario_ways[@]}"; do
		suite_judge "$name" "$way"
	done
	[ "$before" -eq "$failures" ] && echo "ok - $suite_name: $name"
	[ "${FF_SUITE_KEEP:-}" ] &&
		cp -r "$work/lazy" "$work/lazy-${name//[ \/]/_}"
	return 0
}

# A comparison of two empty results proves nothing: a scenario says by
# "want STATUS [REGEX]" before compare what plain itself has to give.
want_status='' want_text=''
want() {
	want_status=$1
	want_text=${2:-}
}

suite_expect() {
	local got
	got=$(sed -n 's/^status //p' "$work/plain/report")
	if [ "$got" != "${want_status:-exited 0}" ]; then
		failed "$1 (plain) ended '$got'," \
			"not '${want_status:-exited 0}'"
		tail -n 15 "$work/plain/err"
	fi
	if [ "$want_text" ] && ! grep -aqE -- "$want_text" \
	    "$work/plain/out" "$work/plain/err"; then
		failed "$1 (plain) did not print $want_text"
		tail -n 15 "$work/plain/out" "$work/plain/err"
	fi
	want_status='' want_text=''
}

suite_end() {
	echo "# $suite_runs scenarios, $failures failures"
	[ "$suite_runs" -gt 0 ] || exit 1
	verdict
}
