#!/bin/bash
# libunwind, which names call sites in the log, is loaded for a log alone.
. "$(dirname "$0")/lib.sh"

expect 0 env LD_PRELOAD="$object" grep -c libflatfork-preload /proc/self/maps
expect 1 env LD_PRELOAD="$object" grep libunwind /proc/self/maps
silent out
expect 1 env LD_PRELOAD="$object" FLATFORK=off FLATFORK_LOG=stderr \
	grep libunwind /proc/self/maps
silent out

finish
