#!/bin/bash
# What compares the ways says no where it has to: programs that differ by one
# thing each, run by threeways.sh and by the harness of the real programs.
# shellcheck disable=SC2016 # the programs expand it
# shellcheck source=test/unit/lib.sh
. "$(dirname "$0")/lib.sh"

export FF_WAYS='lazy auto off' TMPDIR=$work
p=$work/programs
mkdir "$p" || exit 1

# program NAME LINE...
program() {
	printf '%s\n' '#!/bin/bash' "${@:2}" >"$p/$1"
	chmod 755 "$p/$1"
}

# threeways STATUS [OPTION...] PROGRAM
threeways() {
	expect "$1" "$root/test/prog/threeways.sh" "${@:2}"
}

program same 'echo out; echo err >&2'
program forks 'for i in 1 2 3; do /bin/true; done; /bin/true; exit 0'
program out 'echo "${LD_PRELOAD:+ours}"'
program err 'echo "${LD_PRELOAD:+ours}" >&2'
program status '[ -z "${LD_PRELOAD-}" ] || exit 3'
program off '[ "${FLATFORK-}" != off ] || echo off'
program hangs '[ -z "${LD_PRELOAD-}" ] || exec sleep 60'
program fails 'exit 3'
program skips 'echo why; exit 77'
program wrong 'echo "$1"'
program open 'for i in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$i ] || exit 1; done'

threeways 0 "$p/same"
for what in out err status; do
	threeways 1 "$p/$what"
	for way in lazy auto off; do
		says out "$way: $what differs from plain"
	done
done
threeways 0 -n "$p/err"
threeways 1 "$p/off"
says out 'off: out differs from plain'
FF_WAYS=lazy threeways 1 -t 10 "$p/hangs"
says out 'killed, maybe by the watchdog'
threeways 1 "$p/fails"
says out 'the program fails under plain libc'
threeways 77 "$p/skips"
says out why
threeways 1 -w "$p/wrong"
says out 'lazy: out differs'
grep -q 'off: out differs' "$work/out" && fail "off is not asked for fork"
exec 5</dev/null
threeways 0 "$p/open"
exec 5<&-

# What must have happened in the lazy run, and may not.
threeways 0 -l "$p/forks"
threeways 1 -l "$p/same"
says out 'no child stayed on the lazy path'
threeways 0 -k forks_lazy "$p/forks"
threeways 1 -k spawns "$p/forks"
says out 'spawns is 0'
threeways 0 -g 'fork at .*: lazy' "$p/forks"
threeways 1 -g 'no such line' "$p/forks"
says out 'no line of the log matches'
threeways 1 -q 'fork at .*: lazy' "$p/forks"
says out 'a line of the log matches'

# suite STATUS OPTION-AND-COMMAND...: one scenario of a real program
suite() {
	{
		echo ". '$root/test/suite/lib.sh'"
		printf 'compare scenario'
		printf ' %q' "${@:2}"
		printf '\nsuite_end\n'
	} >"$work/scenario.sh"
	expect "$1" bash "$work/scenario.sh"
}

suite 0 -- "$p/same"
suite 0 -l forks -- "$p/forks"
suite 1 -l same -- "$p/same"
says out 'forks_lazy of same is 0'
for what in out err; do
	suite 1 -- "$p/$what"
	says out "lazy: $what differs from plain"
	says out "off: $what differs from plain"
done
suite 1 -- bash -c '[ -z "$LD_PRELOAD" ] || exit 3'
says out 'lazy: report differs from plain'
suite 1 -- bash -c 'echo "${LD_PRELOAD:+x}" >file'
says out 'lazy: effects differs from plain'
suite 1 -- bash -c '[ -z "$LD_PRELOAD" ] || sleep 60 & '
says out 'lazy: report differs from plain'
suite 1 -- bash -c 'sleep 60 &'
says out 'the oracle itself failed'
suite 1 -- false
says out "ended 'exited 1'"

finish
