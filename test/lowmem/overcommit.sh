#!/usr/bin/env bash
# Under vm.overcommit_memory=2 a process that owns more than half of what the
# machine promises cannot fork; under flatfork it starts children.
# Second part: a child there that then wants all the memory it believes to
# have ends alone, or was never started: its parent lives.
#
# Changes vm.overcommit_memory and vm.overcommit_kbytes for moments and puts
# them back. Skipped where that is not permitted.
set -u

sysctl=/proc/sys/vm
[ -w "$sysctl/overcommit_memory" ] || {
	echo "skipped: vm.overcommit_memory cannot be changed"
	exit 77
}
# Two of these at once would put back each other's settings.
exec 7>/tmp/flatfork-overcommit.lock
flock -w 120 7 || exit 1
read -r old_policy <"$sysctl/overcommit_memory"
read -r old_ratio <"$sysctl/overcommit_ratio"
read -r old_kbytes <"$sysctl/overcommit_kbytes"
limit_kbytes=

loosen() {
	echo "$old_policy" >"$sysctl/overcommit_memory"
	# each of these two resets the other one
	if [ "$old_kbytes" -ne 0 ]; then
		echo "$old_kbytes" >"$sysctl/overcommit_kbytes"
	else
		echo "$old_ratio" >"$sysctl/overcommit_ratio"
	fi
}

# Strict accounting; with $left_mib only that much is left to be promised.
tighten() {
	if [ -n "$left_mib" ]; then
		limit_kbytes=$((($(meminfo_mib Committed_AS) + left_mib) * 1024))
		echo "$limit_kbytes" >"$sysctl/overcommit_kbytes" || return
	fi
	echo 2 >"$sysctl/overcommit_memory"
}

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/lowmem/lib.sh
. "$here/lib.sh"

( echo "$old_policy" >"$sysctl/overcommit_memory" ) 2>/dev/null ||
	skip "vm.overcommit_memory cannot be changed"

# Fits once, not twice. Enough of it is touched to count as a big process.
left_mib=
free=$(($(meminfo_mib CommitLimit) - $(meminfo_mib Committed_AS)))
[ "$free" -ge 2048 ] ||
	skip "only $free MiB of the commit limit are left: other processes"
size=$((free * 6 / 10))
touch=$((size < 1024 ? size / 2 : 512))

run_hog plain 1 "$size" "$touch" 3 exec
grep -q "status 7" "$out" &&
	skip "plain fork of $size MiB works: memory was given back meanwhile"
all_children plain 3 "fork: ENOMEM"
run_hog off 1 "$size" "$touch" 3 exec
all_children off 3 "fork: ENOMEM"
for way in user lazy; do
	run_hog "$way" 1 "$size" "$touch" 20 exec
	all_children "$way" 20 "status 7"
	lazy_at_least "$way" 20
done

left_mib=192
run_hog plain 1 2048 384 2 greedy
all_children plain 2 "fork: ENOMEM"
for way in user lazy; do
	run_hog "$way" 1 2048 384 2 greedy
	all_children "$way" 2 "\(fork: ENOMEM\|signal [0-9]*\)"
	# and it can still start one that wants nothing
	run_hog "$way" 1 2048 384 2 exec
	all_children "$way" 2 "status 7"
done

verdict
