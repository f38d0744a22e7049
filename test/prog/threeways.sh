#!/bin/bash
# Runs one program three ways - plain, preloaded with FLATFORK_FORK=lazy,
# preloaded with FLATFORK=off - and compares standard output, standard error
# and status, plain libc being the oracle. Called by ctest with FF_BUILD set.
#
#	threeways.sh [-alnw] [-k COUNTER] [-g PATTERN] [-b MS] [-t SECONDS]
#		[-e VAR=VALUE]... [-p LIBRARY] PROGRAM [ARG...]
#
# -l  its children exec: at least one must have stayed on the lazy path
# -k  this counter of FLATFORK_STATS must not stay 0, either
# -g  a line of the lazy run's log must match this
# -b  FLATFORK_BUDGET_MS; with -l 20000 unless told, so that a loaded machine
#     does not decide the test; else the product's default
# -t  the watchdog, for each of the runs
# -e  for all three runs
# -a  also with FLATFORK_FORK=auto, which learns about places that fork
# -p  a library to preload in all three, behind flatfork; skipped if missing
# -w  wrong children of vfork, which plain libc can't be asked about: the
#     program gets a first argument more, "fork" where it is plain or off, and
#     "vfork" where it is preloaded, with -a
# -n  standard error is not compared (programs that print where they are)
# FF_TRACE=1 prints the log of the lazy run.
set -u

lazy='' counter='' line='' budget='' seconds=60 stderr=yes library='' auto='' wrong=''
vars=()
while getopts 'alk:g:b:t:e:np:w' opt; do
	case $opt in
	l) lazy=yes ;;
	k) counter=$OPTARG ;;
	g) line=$OPTARG ;;
	b) budget=$OPTARG ;;
	t) seconds=$OPTARG ;;
	e) vars+=("$OPTARG") ;;
	n) stderr='' ;;
	a) auto=yes ;;
	p) library=$OPTARG ;;
	w) wrong=yes auto=yes ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$lazy" ] && : "${budget:=20000}"
: "${FF_BUILD:?the build directory, absolute}"

# it runs in a directory of its own
case $1 in
/*) ;;
*/*) set -- "$PWD/$1" "${@:2}" ;;
esac
program=$1
name=${program##*/}
report=$FF_BUILD/test/prog/report
preload=$FF_BUILD/libflatfork-preload.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
chmod 711 "$tmp"
ulimit -c 0

if [ ! -e "$preload" ]; then
	echo "$preload is missing"
	exit 1
fi

# run MODE [VAR=VALUE...]: into $tmp/MODE/{out,err,status}
run() {
	local mode=$1 dir=$tmp/$1
	shift
	(umask 0 && mkdir "$dir" "$dir/work")
	# the shell's own words about a killed program are not wanted
	{ (
		cd "$dir/work" || exit 1
		# what ctest left open is not the program's
		for fd in /proc/self/fd/*; do
			fd=${fd##*/}
			[ "$fd" -gt 2 ] && eval "exec $fd>&-"
		done
		exec env -i PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C \
			T_REPORT="$report" ${vars[@]+"${vars[@]}"} "$@" \
			timeout -k 5 -s KILL "$seconds" \
			"${command[@]}"
	) </dev/null >"$dir/out" 2>"$dir/err"; } 2>/dev/null
	echo $? >"$dir/status"
}

if [ -n "$library" ]; then
	library=$(ldconfig -p | sed -n "s|.*$library .*x86-64.*=> ||p" | head -1)
	if [ ! -e "$library" ]; then
		echo "skip: the library is not installed"
		exit 77
	fi
fi

libc=("$@") ours=("$@")
if [ -n "$wrong" ]; then
	libc=("$1" fork "${@:2}")
	ours=("$1" vfork "${@:2}")
fi

# timeout(1) itself must not be preloaded: the program is started by env
command=(env ${library:+LD_PRELOAD="$library"} "${libc[@]}")
run plain
plain=$(<"$tmp/plain/status")
if [ "$plain" = 77 ]; then
	cat "$tmp/plain/out"
	exit 77
fi
if [ "$plain" != 0 ]; then
	echo "the program fails under plain libc, status $plain:"
	cat "$tmp/plain/out" "$tmp/plain/err"
	exit 1
fi

with=(LD_PRELOAD="$preload${library:+:$library}" FLATFORK_FORK=lazy FLATFORK_STATS="$tmp/stats")
[ -n "$budget" ] && with+=(FLATFORK_BUDGET_MS="$budget")
[ -n "${FF_TRACE-}$line" ] && with+=(FLATFORK_LOG="$tmp/log")
command=(env "${with[@]}" "${ours[@]}")
run lazy
command=(env LD_PRELOAD="$preload${library:+:$library}" FLATFORK=off "${libc[@]}")
run off
if [ -n "$auto" ]; then
	command=(env LD_PRELOAD="$preload${library:+:$library}"
		FLATFORK_MIN_RSS=1M "${ours[@]}")
	run auto
fi

failed=''
for mode in lazy off ${auto:+auto}; do
	for what in out ${stderr:+err} status; do
		cmp -s "$tmp/plain/$what" "$tmp/$mode/$what" && continue
		echo "$mode: $what differs from plain"
		diff "$tmp/plain/$what" "$tmp/$mode/$what" | head -40
		failed=yes
	done
	[ "$(<"$tmp/$mode/status")" = 137 ] &&
		echo "$mode: killed by the watchdog after $seconds s"
done

# count KEY: of all lines of this program, before and after its own forks
count() {
	local line sum=0

	[ -e "$tmp/stats" ] && while read -r line; do
		line=${line// /}
		[[ $line == *"\"comm\":\"${name:0:15}\""* &&
			$line =~ \"$1\":([0-9]+) ]] &&
			sum=$((sum + BASH_REMATCH[1]))
	done <"$tmp/stats"
	echo $sum
}
echo "forks_lazy $(count forks_lazy) forks_real $(count forks_real)" \
	"rollbacks $(count rollbacks) hydrations $(count hydrations)" \
	"forks_lent $(count forks_lent)"
if [ -n "$lazy" ] && [ "$(count forks_lazy)" = 0 ]; then
	echo "lazy: no child stayed on the lazy path"
	failed=yes
fi
if [ -n "$counter" ] && [ "$(count "$counter")" = 0 ]; then
	echo "lazy: $counter is 0"
	failed=yes
fi
if [ -n "$line" ] && ! grep -q -e "$line" "$tmp/log"; then
	echo "lazy: no line of the log matches: $line"
	failed=yes
fi
[ -n "${FF_TRACE-}" ] && cat "$tmp/log" 2>/dev/null
if [ -n "$failed" ]; then
	echo "--- plain"
	head -60 "$tmp/plain/out" "$tmp/plain/err"
	exit 1
fi
exit 0
