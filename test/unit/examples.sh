#!/bin/bash
# The examples do what they say at their heads.
. "$(dirname "$0")/lib.sh"

bin=$FF_BUILD/examples

expect 0 "$bin/pipeline" "seq 1000" "grep 7" "wc -l"
says out 271
expect 3 "$bin/pipeline" "exit 1" "cat; exit 3"

expect 0 "$bin/supervised" "$work/log" sh -c 'echo once'
says out "start 1: status 0"
[ "$(cat "$work/log")" = once ] || fail "supervised: $(cat "$work/log")"
expect 1 "$bin/supervised" "$work/log2" sh -c 'echo again; exit 5'
says out "start 3: status 0x500"
[ "$(grep -c again "$work/log2")" = 3 ] || fail "supervised: not three starts"
expect 1 "$bin/supervised" /no/such/log true
says err 'action 1: open "/no/such/log": No such file or directory'

got=0
"$bin/sandboxed" true 2>"$work/err" || got=$?
if [ "$got" -ne 77 ]; then
	# shellcheck disable=SC2016 # its own variables
	expect 0 "$bin/sandboxed" sh -c 'echo $$ $(id -u) $(ulimit -n) $(pwd)'
	says out "1 65534 64 /"
fi

expect 0 "$bin/capture" 20000 echo hello
says out hello
says err "in time"
expect 124 "$bin/capture" 200 sh -c 'echo early; exec sleep 100'
says out early
says err late
expect 127 "$bin/capture" 1000 no-such-program
says err 'exec "no-such-program": No such file or directory'

finish
