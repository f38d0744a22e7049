# shellcheck shell=bash
# shellcheck disable=SC2034 # variables are for those who source this
# The ways to run a program, and what comes out of each held against the oracle,
# which is plain libc. The one place that does so: sourced by threeways.sh of
# test/prog and by the lib.sh of test/suite, ground, lowmem, libcs and reach.
#
#	plain   without flatfork
#	lazy    every fork that can be lazy is: nothing is lent
#	fence   every fork that can be lent behind protection keys is, from the
#	        first on; only where the CPU has them
#	commit  only by FF_WAYS: as lazy, every child born committed where its
#	        parent allows for it
#	user    as a user has it
#	auto    the same, but in small processes, too: it learns about places
#	        that fork
#	off     FLATFORK=off
#
# A run of a way, or of any other name, leaves in $work/NAME
#
#	out err status   what it said and how it ended
#	stats log        what flatfork said of it, where way_env asks for them
#	work             the directory it ran in, which anybody may write to
#
# Rules: nothing outside of $work is written, and nothing waits without end.

: "${FF_BUILD:?the build directory, absolute}"
set -u
ulimit -S -c 0 # a test of cores may raise it
unset LD_PRELOAD "${!FLATFORK@}"

object=$FF_BUILD/libflatfork-preload.so
first=     # a library before the object in LD_PRELOAD, a colon behind it
last=      # a library behind it, a colon before it
confined=() # set by confine
base=()    # environment of every run, besides a path and LC_ALL
more=()    # ... of those with flatfork; it has the last word
logs=      # not empty: there are logs
stdin=/dev/null
dropped=   # not empty: programs become another user
seconds=60 # the watchdog's
failures=0

if [ ! -e "$object" ]; then
	echo "$object is missing: build first"
	exit 1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/flatfork-${0##*/}.XXXXXX") || exit 1
work=$(cd "$work" && pwd -P) || exit 1
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT

skip() {
	echo "skip: $*"
	exit 77
}

needs() {
	local program
	for program; do
		command -v "$program" >/dev/null ||
			skip "$program is not installed"
	done
}

failed() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# A word that is no command is a failure, wherever the shell meets it.
command_not_found_handle() {
	echo "FAILED: $1: there is no such command"
	: >"$work/no-command"
	return 127
}

verdict() {
	[ "$failures" -eq 0 ] && [ ! -e "$work/no-command" ]
	exit
}

# confine [COMMAND...]: a program around that of every run, under the watchdog
confine() {
	confined=("$@")
}

# choose_ways WAY...: $ways are these, and fence where the CPU can; or FF_WAYS.
choose_ways() {
	ways=("$@")
	grep -qw ospke /proc/cpuinfo && ways+=(fence)
	[ -z "${FF_WAYS-}" ] || read -r -a ways <<<"$FF_WAYS"
}

# way_env WAY: $with is the environment that makes it.
way_env() {
	with=(LD_PRELOAD="$first$object$last")
	case $1 in
	plain)
		with=()
		[ -z "$first$last" ] ||
			with=(LD_PRELOAD="${first%:}${last#:}")
		return
		;;
	lazy) with+=(FLATFORK_FORK=lazy FLATFORK_LEND=off) ;;
	fence) with+=(FLATFORK_FORK=lazy FLATFORK_FAULT=fence-all) ;;
	commit) with+=(FLATFORK_FORK=lazy FLATFORK_LEND=off
		FLATFORK_FAULT=commit-all) ;;
	user) ;;
	auto) with+=(FLATFORK_MIN_RSS=1M) ;;
	off) with+=(FLATFORK=off) ;;
	*)
		echo "there is no such way: $1"
		exit 2
		;;
	esac
	case $1 in
	lazy | fence | commit | user)
		with+=(FLATFORK_STATS="$work/$1/stats")
		[ -z "$logs" ] || with+=(FLATFORK_LOG="$work/$1/log")
		;;
	esac
	with+=(${more[@]+"${more[@]}"})
}

# make_place NAME: a new one
make_place() {
	rm -rf "${work:?}/$1"
	mkdir -m 755 "$work/$1" && mkdir -m 777 "$work/$1/work"
}

# anybody_writes NAME: flatfork's files are there, for users other than this one
anybody_writes() {
	: >"$work/$1/stats"
	: >"$work/$1/log"
	chmod 666 "$work/$1/stats" "$work/$1/log"
}

# become NAME COMMAND...: a subshell does, in its place, with nothing open that
# was, and the watchdog behind it.
become() {
	local fd

	cd "$work/$1/work" || exit 1
	shift
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || eval "exec $fd>&-"
	done
	exec env -i PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C \
		${base[@]+"${base[@]}"} \
		timeout -k 5 -s KILL "$seconds" \
		${confined[@]+"${confined[@]}"} "$@"
}

# run_there NAME COMMAND...: in its place
run_there() {
	local dir=$work/$1

	# the shell's own words about a killed program are not wanted
	{ (become "$@") <"$stdin" >"$dir/out" 2>"$dir/err"; } 2>/dev/null
	echo $? >"$dir/status"
}

# run NAME COMMAND...: in a new place
run() {
	make_place "$1" && { [ -z "$dropped" ] || anybody_writes "$1"; } &&
		run_there "$@"
}

# status_of NAME
status_of() {
	echo "$(<"$work/$1/status")"
}

# same_as_plain NAME [FILE...]: what it left, else out, err and status, is
# plain's; says what is not.
same_as_plain() {
	local name=$1 what

	shift
	[ $# -gt 0 ] || set -- out err status
	for what; do
		cmp -s "$work/plain/$what" "$work/$name/$what" && continue
		failed "$name: $what differs from plain"
		diff -a -u --label "plain $what" --label "$name $what" \
			"$work/plain/$what" "$work/$name/$what" | head -40
	done
	[ "$(status_of "$name")" != 137 ] ||
		echo "$name: killed, maybe by the watchdog after $seconds s"
}

# count NAME COUNTER [COMM]: its sum over all processes of the run, or over
# those of that name
count() {
	[ -e "$work/$1/stats" ] || {
		echo 0
		return
	}
	awk -v key="\"$2\":" -v comm="${3-*}" '
	{
		gsub(/": +/, "\":")
		if (comm != "*" && !index($0, "\"comm\":\"" comm "\""))
			next
		at = index($0, key)
		if (at)
			sum += substr($0, at + length(key)) + 0
	}
	END { print sum + 0 }' "$work/$1/stats"
}
