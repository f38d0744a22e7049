#!/bin/bash
# fork-fuzz finds a fork that is wrong in one thing, and nothing in one that is
# right; and says how far it came where it is ended.
. "$(dirname "$0")/lib.sh"

fuzz=$FF_BUILD/test/fuzz

# run WRONG CASES
run() {
	env ${1:+FUZZ_WRONG=$1} LD_PRELOAD="$fuzz/libfork-wrong.so" \
		"$fuzz/fork-fuzz" "$fuzz/witness" 1 "$2" 0 none
}

expect 0 run '' 20
says out "seed 1: 20 cases"
says out ", 0 differ"
for wrong in memory marks mask umask errno descriptor error zombie \
	child-{memory,shared,mask,ignores,descriptor,group,directory,lost,errno}
do
	expect 1 run "$wrong" 20
	says out "seed 1: 20 cases"
	grep -q ", 0 differ" "$work/out" && fail "$wrong: nothing differs"
done

# A byte that changed once, where each case looks at a part of the memory.
expect 1 run memory 120
says err "  memory kept: 0 (0) and 1 (0x1)"

status=0
timeout 5 "$fuzz/fork-fuzz" "$fuzz/witness" 1 1000000 0 none >"$work/out" ||
	status=$?
[ "$status" -eq 124 ] || fail "ended: status $status"
says out "ended by signal 15"
says out "seed 1: "
finish
