#!/bin/bash
# Runs one program plain and then each way that flatfork has, and compares
# standard output, standard error and status, plain libc being the oracle.
# Called by ctest with FF_BUILD set.
#
#	threeways.sh [-dflnsw] [-k COUNTER] [-g PATTERN] [-q PATTERN] [-b MS]
#		[-t SECONDS] [-e VAR=VALUE]... [-p LIBRARY] PROGRAM [ARG...]
#
# The ways are those of test/ways.sh; FF_WAYS, a list, chooses others than lazy,
# auto, off, and fence where the CPU has protection keys.
#
# -l  its children exec: at least one must have stayed on the lazy path
# -f  behind the fence at least one must have been lent
# -k  this counter of FLATFORK_STATS must not stay 0 in the lazy run, either
# -g  a line of the lazy run's log must match this
# -q  ... and no line this; with -f none of the run behind the fence, either
# -b  FLATFORK_BUDGET_MS, not for auto; with -l and -f 20000 unless told, so
#     that a loaded machine does not decide the test; else the default
# -t  the watchdog, for each of the runs
# -d  all runs are of processes that have given up root (test/reach/dropped.c)
# -e  for all runs
# -p  a library to preload in all, behind flatfork; skipped if missing
# -w  wrong children of vfork, which plain libc can't be asked about: the
#     program gets a first argument more, "fork" where it is plain or off, and
#     "vfork" everywhere else
# -s  it handles SIGSYS: under a filter nothing is asked, so all is libc's, and
#     nothing is told
# -n  standard error is not compared (programs that print where they are)
#
# FF_FILTER, words for test/reach/under (a profile, changes of it): all runs are
# under that seccomp filter. FF_DROPPED, not empty: they have given up root, as
# test/reach/dropped.c does. Skipped where plain libc does something else there
# than without it. The ways are lazy, auto and fence then.
#
# FF_TRACE=1 prints the logs of the lazy run and of the one behind the fence.

# shellcheck source=test/ways.sh
. "$(dirname "$0")/../ways.sh"

lazy='' lent='' counter='' line='' noline='' budget='' library=''
wrong='' handled='' compared=(out err status)
vars=()
while getopts 'dflk:g:q:b:t:e:np:sw' opt; do
	case $opt in
	d) dropped=yes ;;
	f) lent=yes ;;
	l) lazy=yes ;;
	k) counter=$OPTARG ;;
	g) line=$OPTARG ;;
	q) noline=$OPTARG ;;
	b) budget=$OPTARG ;;
	t) seconds=$OPTARG ;;
	e) vars+=("$OPTARG") ;;
	n) compared=(out status) ;;
	p) library=$OPTARG ;;
	s) handled=yes ;;
	w) wrong=yes ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$lazy$lent" ] && : "${budget:=20000}"
logs=${FF_TRACE-}$line$noline
if [ -n "${FF_FILTER-}${FF_DROPPED-}" ]; then
	choose_ways lazy auto
	logs+=$lazy
	lent='' # may not be allowed
	[ -z "$handled" ] || lazy='' line=''
else
	choose_ways lazy auto off
fi

# it runs in a directory of its own
case $1 in
/*) ;;
*/*) set -- "$PWD/$1" "${@:2}" ;;
esac
name=${1##*/}
name=${name:0:15}
base=(T_REPORT="$FF_BUILD/test/prog/report" ${vars[@]+"${vars[@]}"})

if [ -n "$library" ]; then
	library=$(ldconfig -p | sed -n "s|.*$library .*x86-64.*=> ||p" | head -1)
	[ -e "$library" ] || skip "the library is not installed"
	last=:$library
fi
[ -z "$dropped" ] || last+=:$FF_BUILD/test/reach/dropped.so

libc=("$@") ours=("$@")
if [ -n "$wrong" ]; then
	libc=("$1" fork "${@:2}")
	ours=("$1" vfork "${@:2}")
fi

# timeout(1) itself must not be preloaded: the program is started by env
way_env plain
run_plain() {
	run plain env ${with[@]+"${with[@]}"} "${libc[@]}"
}
run_plain
if [ "$(status_of plain)" = 77 ]; then
	cat "$work/plain/out"
	exit 77
fi
if [ "$(status_of plain)" != 0 ]; then
	echo "the program fails under plain libc, status $(status_of plain):"
	cat "$work/plain/out" "$work/plain/err"
	exit 1
fi
if [ -n "${FF_FILTER-}${FF_DROPPED-}" ]; then
	mv "$work/plain" "$work/free"
	read -r -a words <<<"${FF_FILTER:-all}"
	confine "$FF_BUILD/test/reach/under" "${words[@]}" --
	if [ -n "${FF_DROPPED-}" ] && [ -z "$dropped" ]; then
		dropped=yes
		last+=:$FF_BUILD/test/reach/dropped.so
	fi
	way_env plain
	run_plain
	for what in "${compared[@]}"; do
		cmp -s "$work/free/$what" "$work/plain/$what" ||
			skip "plain libc does something else there: $what"
	done
fi

for way in "${ways[@]}"; do
	more=()
	case $way in lazy | commit | fence)
		[ -z "$budget" ] || more=(FLATFORK_BUDGET_MS="$budget")
		;;
	esac
	more+=(${vars[@]+"${vars[@]}"})
	way_env "$way"
	if [ "$way" = off ]; then
		run off env "${with[@]}" "${libc[@]}"
	else
		run "$way" env "${with[@]}" "${ours[@]}"
	fi
	same_as_plain "$way" "${compared[@]}"
done

# cannot_be_lazy WAY: where the parent is to read itself for its children a
# filter may refuse that
cannot_be_lazy() {
	[ -n "${FF_FILTER-}" ] && [ "$(count "$1" forks_lazy "$name")" = 0 ] &&
		grep -qE "real: .*its memory can't be (read|opened)" \
			"$work/$1/log"
}

# at_least_one WAY COUNTER WHY: in processes of this program, before and after
# its own forks
at_least_one() {
	[ "$(count "$1" "$2" "$name")" != 0 ] || failed "$1: $3"
}

# none_has WAY: what -q says
none_has() {
	[ -z "$noline" ] || ! grep -e "$noline" "$work/$1/log" ||
		failed "$1: a line of the log matches: $noline"
}

for way in "${ways[@]}"; do
	case $way in
	lazy | commit)
		if cannot_be_lazy "$way"; then
			echo "$way: its memory can't be read there"
			continue
		fi
		[ -z "$lazy" ] || at_least_one "$way" forks_lazy \
			"no child stayed on the lazy path"
		[ -z "$counter" ] || at_least_one "$way" "$counter" \
			"$counter is 0"
		[ -z "$line" ] || grep -q -e "$line" "$work/$way/log" ||
			failed "$way: no line of the log matches: $line"
		none_has "$way"
		;;
	fence)
		[ -z "$lent" ] || at_least_one fence forks_lent \
			"no child was lent"
		[ -z "$lent" ] || none_has fence
		;;
	*) continue ;;
	esac
	text="$way:"
	for key in forks_lazy forks_real rollbacks hydrations forks_lent; do
		text+=" $key $(count "$way" $key "$name")"
	done
	echo "$text"
	[ -z "${FF_TRACE-}" ] || cat "$work/$way/log" 2>/dev/null
done
if [ "$failures" -gt 0 ]; then
	echo "--- plain"
	head -60 "$work/plain/out" "$work/plain/err"
fi
verdict
