#!/bin/bash
# Every system call that is made for forks, vforks and spawns is asked for
# (src/process/asks.def), where a seccomp filter is in force.
. "$(dirname "$0")/lib.sh"

asked=$(sed -n 's/^X([a-z0-9_]*, "\([a-z0-9_]*\).*/\1/p' \
	"$root/src/process/asks.def" "$root"/src/arch/*/arch_asks.def | sort -u)
[ "$(wc -l <<<"$asked")" -gt 60 ] || fail "the table can't be read"

# Made for the program, as libc would make it: a step of a spawn, what a
# handler of a fork of its own asks for. And what is made before anything is
# asked, or never under a filter.
not_ours='execve|name|clone|exit'
not_ours+='|chdir|fchdir|dup2|setresuid|setresgid|setgroups|setpriority'
not_ours+='|sched_setparam|sched_setscheduler|sched_setaffinity|ioprio_set'
not_ours+='|mseal|process_madvise|umask|getuid|getgid|geteuid|getdents64|execveat'

rooms='host process lazy lend spawn site tell ways preload libc'
# shellcheck disable=SC2086 # words
made=0
while read -r call; do
	made=$((made + 1))
	[[ $call =~ ^($not_ours)$ ]] && continue
	grep -qx "$call" <<<"$asked" ||
		fail "$call is made, and has no row in process/asks.def:" \
			"$(cd "$root/src" && grep -rlE "\bsys\((SYS_)?$call\b" .)"
done < <(cd "$root/src" && {
	grep -rhoE '\bsys\([a-z0-9_]+' --include='*.[ch]' $rooms
	grep -rhoE '\bff_sys\(SYS_[a-z0-9_]+' --include='*.[ch]' arch
} | sed -E 's/.*sys\((SYS_)?//' | sort -u)
[ "$made" -gt 60 ] || fail "only $made calls were found"

# By another way they would not be seen here. These make the program's own
# calls; preload has a syscall() for it.
raw='host/sys\.h|lazy/child/mediator\.c|lend/child/(become|envoy)\.c'
# shellcheck disable=SC2086
while read -r line; do
	fail "a call that is made without sys(): $line"
done < <(cd "$root/src" && grep -rnE '\b(ff_sys|syscall)\(' \
	--include='*.[ch]' $rooms | grep -vE "^($raw):|:\s*(/\*| \*)")

finish
