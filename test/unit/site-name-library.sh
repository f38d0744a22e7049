#!/bin/bash
# libunwind, which names call sites in the log, is loaded for a log alone.
. "$(dirname "$0")/lib.sh"

expect 0 env LD_PRELOAD="$object" grep -c libflatfork-preload /proc/self/maps
expect 1 env LD_PRELOAD="$object" grep libunwind /proc/self/maps
silent out
expect 1 env LD_PRELOAD="$object" FLATFORK=off FLATFORK_LOG=stderr \
	grep libunwind /proc/self/maps
silent out

expect 0 env LD_PRELOAD="$object" FLATFORK_LOG=stderr \
	grep -c libunwind-x86_64 /proc/self/maps
expect 0 env LD_PRELOAD="$object" FLATFORK_LOG=stderr FLATFORK_FORK=real \
	perl -e 'system("/bin/true", "x")'
says err ' < Perl_runops_standard < perl_run < '
# perl's other names are hidden from 5.38 on; this one leaves files behind
expect 0 env -C "$work" LD_PRELOAD="$object" FLATFORK_LOG=stderr \
	FLATFORK_FORK=real T_REPORT="$FF_BUILD/test/prog/report" \
	"$FF_BUILD/test/prog/exec-forms"
says err ' in t_fork < main: '

# A descriptor more would be found here.
# shellcheck disable=SC2016 # perl's variables
expect 0 env LD_PRELOAD="$object" FLATFORK_LOG=stderr FLATFORK_FORK=lazy \
	perl -e 'sub n { scalar(() = glob("/proc/self/fd/*")) } $a = n();
		system("/bin/true", "x"); exit(n() != $a || $a != $ARGV[0])' \
	"$(perl -e 'print scalar(() = glob("/proc/self/fd/*"))')"

finish
