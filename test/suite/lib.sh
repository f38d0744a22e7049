# shellcheck shell=bash
# The harness of the real programs: sourced by one script per program.
#
# A scenario is one command. It runs several times in a fresh directory of the
# same name: plain, lazy (FLATFORK_FORK=lazy, and nothing is lent), fence (forks
# are lent behind protection keys wherever they can be; where the CPU has them)
# and under FLATFORK=off. Plain is the oracle: standard output, standard error,
# the way it ended, the files it left and the processes it did not reap must be
# the same. With -l COMM the statistics of the lazy run must also say that COMM
# made at least one child lazily.
#
#   suite_needs PROGRAM...      skip (77) when one of them is missing
#   suite_forks_by FILE...      -l is only asked for if one imports fork
#   suite_may_spawn FILE...     ... and not if one imports posix_spawn, too
#   suite_file NAME <<EOF       a program for the scenarios: $P/NAME
#   compare NAME [options] -- command...
#       -l COMM   COMM must fork lazily      -t SEC   limit (default 60)
#       -s FUNC   prepares the directory     -i FILE  standard input
#       -f SED    applied to what it printed -x GLOB  a path not compared
#       -b        big: fence and off are left to its siblings
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
set -u
umask 022

: "${FF_BUILD:?the build directory, an absolute path}"
suite_name=$(basename "$0" .sh)
suite_lib=$FF_BUILD/libflatfork-preload.so
suite_fails=0
suite_runs=0
suite_asks_lazy=yes
suite_env=()
if [ -z "${FF_WAYS-}" ]; then
	FF_WAYS='lazy off'
	grep -qw ospke /proc/cpuinfo && FF_WAYS+=' fence'
fi
export LC_ALL=C.UTF-8

for f in "$suite_lib" "$FF_BUILD/suite-watch" "$FF_BUILD/suite-look"; do
	if [ ! -e "$f" ]; then
		echo "$suite_name: $f is missing: build first" >&2
		exit 1
	fi
done

suite_tmp=$(mktemp -d "${TMPDIR:-/tmp}/ff-$suite_name.XXXXXX") || exit 1
suite_tmp=$(readlink -f "$suite_tmp")
chmod 755 "$suite_tmp"
mkdir "$suite_tmp/prog"
P=$suite_tmp/prog
LOOK=$P/look
cp "$FF_BUILD/suite-look" "$LOOK"

suite_cleanup() {
	if [ "${FF_SUITE_KEEP:-}" ]; then
		echo "# kept: $suite_tmp"
	else
		rm -rf "$suite_tmp"
	fi
}
trap suite_cleanup EXIT
trap 'exit 1' INT TERM HUP

suite_needs() {
	local p
	for p; do
		if ! command -v "$p" >/dev/null; then
			echo "skip: $p is not installed"
			exit 77
		fi
	done
}

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
	cp "$suite_lib" "$suite_tmp/" && suite_lib=$suite_tmp/${suite_lib##*/}
}

suite_file() {
	cat >"$P/$1" && chmod 755 "$P/$1"
}

# What the command left in its directory, a line per file.
suite_effects() {
	(cd "$1" && find . -mindepth 1 -path "${x_glob:-/none}" -prune -o \
		-printf '%y %m %P %l\n' | sort
	find . -path "${x_glob:-/none}" -prune -o -type f -print0 |
		sort -z | xargs -0r sha256sum)
}

# suite_run MODE command...: leaves out, err, report, effects, stats in
# $suite_tmp/MODE. The directory of the run is named alike in every mode.
suite_run() {
	local mode=$1 d=$suite_tmp/$1 now=$suite_tmp/now
	shift
	local with=(env)
	case $mode in
	lazy | fence)
		with+=(LD_PRELOAD="$suite_lib" FLATFORK_FORK=lazy
			FLATFORK_STATS="$now/stats")
		[ "$mode" = lazy ] && with+=(FLATFORK_LEND=off)
		[ "$mode" = fence ] && with+=(FLATFORK_FAULT=fence-all)
		[ "${FF_SUITE_LOG:-}" ] && with+=(FLATFORK_LOG="$now/log") ;;
	off)	with+=(LD_PRELOAD="$suite_lib" FLATFORK=off
			FLATFORK_STATS="$now/stats") ;;
	esac
	rm -rf "$d" "$now"
	mkdir -p "$now/dir" "$now/home" "$now/tmp"
	chmod 1777 "$now/dir" "$now/home" "$now/tmp"
	: >"$now/stats"
	: >"$now/log"
	chmod 666 "$now/stats" "$now/log"
	if [ "$o_setup" ] && ! (cd "$now/dir" && "$o_setup") \
	    >"$now/setup" 2>&1; then
		cat "$now/setup"
		return 1
	fi
	local base=(env -i PATH="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
		HOME="$now/home" TMPDIR="$now/tmp" LC_ALL=C.UTF-8 TZ=UTC
		USER=root SHELL=/bin/sh TERM=dumb MODE="$mode" P="$P"
		LOOK="$LOOK" ${suite_env[@]+"${suite_env[@]}"})
	if [ "$o_driver" ]; then
		base+=(FF_WITH="${with[*]}")
	else
		base+=("${with[@]}")
	fi
	(cd "$now/dir" && exec timeout -k 5 $((o_limit + 30)) \
		"$FF_BUILD/suite-watch" -r "$now/report" -t "$o_limit" \
		"${base[@]}" "$@") <"$o_stdin" >"$now/out" 2>"$now/err"
	echo "watch $?" >>"$now/report"
	suite_effects "$now/dir" >"$now/effects"
	sed -i "s|$suite_tmp|TMP|g" "$now/out" "$now/err" "$now/effects"
	if [ "$o_filter" ]; then
		sed -i -E "$o_filter" "$now/out" "$now/err"
	fi
	if [ "$o_orphans" ]; then
		sed -i '/^orphans/d' "$now/report"
	fi
	mv "$now" "$d"
	[ "${FF_SUITE_KEEP:-}" ] || rm -rf "$d/dir"
}

# Sum of one counter over the processes called COMM.
suite_count() {
	awk -v comm="$1" -v key="\"$2\":" '
	comm == "*" || index($0, "\"comm\":\"" comm "\"") ||
	    index($0, "\"comm\": \"" comm "\"") {
		at = index($0, key)
		if (at)
			sum += substr($0, at + length(key)) + 0
	}
	END { print sum + 0 }' "$3"
}

suite_not_ok() {
	suite_fails=$((suite_fails + 1))
	echo "not ok - $suite_name: $1"
	shift
	printf '#   %s\n' "$@"
}

# One mode against plain; says what differs.
suite_judge() {
	local name=$1 mode=$2 f bad='' n
	for f in report out err effects; do
		if ! cmp -s "$suite_tmp/plain/$f" "$suite_tmp/$mode/$f"; then
			bad="$bad $f"
		fi
	done
	if [ "$bad" ]; then
		suite_not_ok "$name ($mode)" "differs:$bad"
		for f in $bad; do
			diff -a -u "$suite_tmp/plain/$f" \
			    "$suite_tmp/$mode/$f" | head -n 30 | sed 's/^/#   /'
		done
		[ -s "$suite_tmp/$mode/log" ] &&
			tail -n 30 "$suite_tmp/$mode/log" | sed 's/^/#   /'
	fi
	if [ "$mode" = off ] && [ -s "$suite_tmp/off/stats" ]; then
		suite_not_ok "$name (off)" "off, and yet it wrote statistics"
	fi
	if [ "$mode" = lazy ] && [ "$o_lazy" ] &&
	    [ "$suite_asks_lazy" = yes ]; then
		n=$(suite_count "$o_lazy" forks_lazy "$suite_tmp/lazy/stats")
		if [ "$n" -eq 0 ]; then
			suite_not_ok "$name (lazy)" \
			    "forks_lazy of $o_lazy is 0; the statistics:" \
			    "$(head -n 5 "$suite_tmp/lazy/stats")"
		fi
	fi
}

compare() {
	local name=$1 before=$suite_fails mode opt OPTIND=1 x_glob=''
	local o_lazy='' o_limit=60 o_setup='' o_stdin=/dev/null o_filter=''
	local o_orphans='' o_driver='' modes
	read -r -a modes <<<"plain $FF_WAYS"
	shift
	while getopts l:t:s:i:f:x:odb opt; do
		case $opt in
		l)	o_lazy=$OPTARG ;;
		t)	o_limit=$OPTARG ;;
		s)	o_setup=$OPTARG ;;
		i)	o_stdin=$OPTARG ;;
		f)	o_filter=$OPTARG ;;
		x)	x_glob=$OPTARG ;;
		o)	o_orphans=yes ;;
		d)	o_driver=yes ;;
		b)	modes=(plain lazy) ;;
		*)	exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	# shellcheck disable=SC2053 # a glob on purpose
	[[ $name == ${FF_SUITE_ONLY:-*} ]] || return 0
	suite_runs=$((suite_runs + 1))
	for mode in "${modes[@]}"; do
		if ! suite_run "$mode" "$@"; then
			suite_not_ok "$name ($mode)" "could not be prepared"
			return
		fi
	done
	# An oracle that hangs or leaves processes behind is no oracle.
	if ! grep -q '^status' "$suite_tmp/plain/report" ||
	    grep -q '^left' "$suite_tmp/plain/report"; then
		suite_not_ok "$name (plain)" "the oracle itself failed:" \
		    "$(cat "$suite_tmp/plain/report" "$suite_tmp/plain/err")"
	fi
	suite_expect "$name"
	for mode in "${modes[@]:1}"; do
		suite_judge "$name" "$mode"
	done
	[ "$before" -eq "$suite_fails" ] && echo "ok - $suite_name: $name"
	[ "${FF_SUITE_KEEP:-}" ] &&
		cp -r "$suite_tmp/lazy" "$suite_tmp/lazy-${name//[ \/]/_}"
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
	got=$(sed -n 's/^status //p' "$suite_tmp/plain/report")
	if [ "$got" != "${want_status:-exited 0}" ]; then
		suite_not_ok "$1 (plain)" "ended '$got'," \
		    "wanted '${want_status:-exited 0}'" \
		    "$(tail -n 15 "$suite_tmp/plain/err")"
	fi
	if [ "$want_text" ] && ! grep -aqE -- "$want_text" \
	    "$suite_tmp/plain/out" "$suite_tmp/plain/err"; then
		suite_not_ok "$1 (plain)" "did not print $want_text" \
		    "$(tail -n 15 "$suite_tmp/plain/out")" \
		    "$(tail -n 15 "$suite_tmp/plain/err")"
	fi
	want_status='' want_text=''
}

suite_end() {
	echo "# $suite_runs scenarios, $suite_fails failures"
	[ "$suite_fails" -eq 0 ] && [ "$suite_runs" -gt 0 ]
	exit
}
