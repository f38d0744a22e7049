#!/bin/bash
# Runs one program plain and then each way that flatfork has, and compares
# standard output, standard error and status, plain libc being the oracle.
# Called by ctest with FF_BUILD set.
#
#	threeways.sh [-flnw] [-k COUNTER] [-g PATTERN] [-q PATTERN] [-b MS]
#		[-t SECONDS] [-e VAR=VALUE]... [-p LIBRARY] PROGRAM [ARG...]
#
# The ways, all of them preloaded; FF_WAYS, a list, chooses others than all that
# the CPU can:
#
#	lazy    every fork that can be lazy is: nothing is lent
#	fence   every fork that can be lent behind protection keys is, from the
#	        first on; only where the CPU has them
#	auto    as a user has it, but in small processes, too: it learns about
#	        places that fork
#	off     FLATFORK=off
#	commit  only by FF_WAYS: as lazy, every child born committed where its
#	        parent allows for it
#
# -l  its children exec: at least one must have stayed on the lazy path
# -f  behind the fence at least one must have been lent
# -k  this counter of FLATFORK_STATS must not stay 0 in the lazy run, either
# -g  a line of the lazy run's log must match this
# -q  ... and no line this
# -b  FLATFORK_BUDGET_MS, not for auto; with -l and -f 20000 unless told, so
#     that a loaded machine does not decide the test; else the default
# -t  the watchdog, for each of the runs
# -e  for all runs
# -p  a library to preload in all, behind flatfork; skipped if missing
# -w  wrong children of vfork, which plain libc can't be asked about: the
#     program gets a first argument more, "fork" where it is plain or off, and
#     "vfork" everywhere else
# -n  standard error is not compared (programs that print where they are)
# FF_TRACE=1 prints the logs of the lazy run and of the one behind the fence.
set -u

lazy='' lent='' counter='' line='' noline='' budget='' seconds=60 stderr=yes library=''
wrong=''
vars=()
while getopts 'flk:g:q:b:t:e:np:w' opt; do
	case $opt in
	f) lent=yes ;;
	l) lazy=yes ;;
	k) counter=$OPTARG ;;
	g) line=$OPTARG ;;
	q) noline=$OPTARG ;;
	b) budget=$OPTARG ;;
	t) seconds=$OPTARG ;;
	e) vars+=("$OPTARG") ;;
	n) stderr='' ;;
	p) library=$OPTARG ;;
	w) wrong=yes ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$lazy$lent" ] && : "${budget:=20000}"
: "${FF_BUILD:?the build directory, absolute}"
if [ -z "${FF_WAYS-}" ]; then
	FF_WAYS='lazy auto off'
	grep -qw ospke /proc/cpuinfo && FF_WAYS+=' fence'
fi
read -r -a ways <<<"$FF_WAYS"

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

# run WAY COMMAND...: into $tmp/WAY/{out,err,status}
run() {
	local dir=$tmp/$1
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
			T_REPORT="$report" ${vars[@]+"${vars[@]}"} \
			timeout -k 5 -s KILL "$seconds" "$@"
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
run plain env ${library:+LD_PRELOAD="$library"} "${libc[@]}"
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

for way in "${ways[@]}"; do
	with=(LD_PRELOAD="$preload${library:+:$library}")
	case $way in
	lazy) with+=(FLATFORK_FORK=lazy FLATFORK_LEND=off) ;;
	fence) with+=(FLATFORK_FORK=lazy FLATFORK_FAULT=fence-all) ;;
	commit) with+=(FLATFORK_FORK=lazy FLATFORK_LEND=off
		FLATFORK_FAULT=commit-all) ;;
	auto) with+=(FLATFORK_MIN_RSS=1M) ;;
	off) with+=(FLATFORK=off) ;;
	*) echo "there is no such way: $way"; exit 2 ;;
	esac
	case $way in lazy | commit | fence)
		with+=(FLATFORK_STATS="$tmp/$way.stats")
		[ -n "$budget" ] && with+=(FLATFORK_BUDGET_MS="$budget")
		[ -n "${FF_TRACE-}$line$noline" ] &&
			with+=(FLATFORK_LOG="$tmp/$way.log")
		;;
	esac
	# what the caller says has the last word
	with+=(${vars[@]+"${vars[@]}"})
	if [ "$way" = off ]; then
		run off env "${with[@]}" "${libc[@]}"
	else
		run "$way" env "${with[@]}" "${ours[@]}"
	fi
done

failed=''
for way in "${ways[@]}"; do
	for what in out ${stderr:+err} status; do
		cmp -s "$tmp/plain/$what" "$tmp/$way/$what" && continue
		echo "$way: $what differs from plain"
		diff "$tmp/plain/$what" "$tmp/$way/$what" | head -40
		failed=yes
	done
	[ "$(<"$tmp/$way/status")" = 137 ] &&
		echo "$way: killed by the watchdog after $seconds s"
done

# count WAY KEY: of all lines of this program, before and after its own forks
count() {
	local line sum=0

	[ -e "$tmp/$1.stats" ] && while read -r line; do
		line=${line// /}
		[[ $line == *"\"comm\":\"${name:0:15}\""* &&
			$line =~ \"$2\":([0-9]+) ]] &&
			sum=$((sum + BASH_REMATCH[1]))
	done <"$tmp/$1.stats"
	echo $sum
}

# at_least_one WAY KEY WHY
at_least_one() {
	[ "$(count "$1" "$2")" = 0 ] || return
	echo "$1: $3"
	failed=yes
}

for way in "${ways[@]}"; do
	case $way in lazy | commit | fence)
		text="$way:"
		for key in forks_lazy forks_real rollbacks hydrations \
			forks_lent; do
			text+=" $key $(count "$way" $key)"
		done
		echo "$text"
		[ -n "${FF_TRACE-}" ] && cat "$tmp/$way.log" 2>/dev/null
		;;
	esac
	case $way in
	lazy | commit)
		[ -n "$lazy" ] && at_least_one $way forks_lazy \
			"no child stayed on the lazy path"
		[ -n "$counter" ] && at_least_one $way "$counter" \
			"$counter is 0"
		if [ -n "$line" ] && ! grep -q -e "$line" "$tmp/$way.log"; then
			echo "$way: no line of the log matches: $line"
			failed=yes
		fi
		if [ -n "$noline" ] && grep -e "$noline" "$tmp/$way.log"; then
			echo "$way: a line of the log matches: $noline"
			failed=yes
		fi
		;;
	fence)
		[ -n "$lent" ] && at_least_one fence forks_lent \
			"no child was lent"
		;;
	esac
done
if [ -n "$failed" ]; then
	echo "--- plain"
	head -60 "$tmp/plain/out" "$tmp/plain/err"
	exit 1
fi
exit 0
