#!/usr/bin/env bash
# In a memory cgroup with 16 MiB left: children start as they do under libc, and
# also where libc's fork cannot have the page tables it would need.
# A child that then needs more than there is, before its exec or after it, is
# killed alone, and its parent sees by what.
#
# Makes a cgroup of its own (version 1 or 2) and removes it; skipped where none
# can be made.
set -u

LEFT_BYTES=$((16 << 20))
group=

loosen() {
	[ -n "$group" ] && echo "$no_limit" >"$group/$limit_file" 2>/dev/null
	return 0
}

tighten() {
	local usage

	read -r usage <"$group/$usage_file"
	echo $((usage + LEFT_BYTES)) >"$group/$limit_file"
}

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/lowmem/lib.sh
. "$here/lib.sh"

# Runs on exit, in place of lib.sh's finish.
# shellcheck disable=SC2317
remove_group() {
	finish
	[ -n "$group" ] || return
	# the kernel lets go of a group some moments after its last process
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rmdir "$group" 2>/dev/null && return
		sleep 0.2
	done
}

make_group() {
	local where type options name=flatfork-lowmem-$$

	while read -r _ where type options _; do
		if [ "$type" = cgroup ] && [[ ,$options, = *,memory,* ]]; then
			limit_file=memory.limit_in_bytes
			usage_file=memory.usage_in_bytes
			no_limit=-1
		elif [ "$type" = cgroup2 ] &&
			grep -qw memory "$where/cgroup.subtree_control" \
				2>/dev/null; then
			limit_file=memory.max
			usage_file=memory.current
			no_limit=max
		else
			continue
		fi
		mkdir "$where/$name" 2>/dev/null || continue
		group=$where/$name
		trap remove_group EXIT
		[ -w "$group/$limit_file" ] &&
			(echo "$BASHPID" >"$group/cgroup.procs") 2>/dev/null &&
			return
	done </proc/mounts
	return 1
}

enter_group() {
	echo "$BASHPID" >"$group/cgroup.procs" || exit 77
}

make_group || skip "no memory cgroup can be made"
[ -w "$group/memory.swap.max" ] && echo 0 >"$group/memory.swap.max"

for way in plain off user lazy; do
	run_hog "$way" 1 256 256 10 exec
	all_children "$way" 10 "status 7"
	case $way in user | lazy) lazy_at_least "$way" 10 ;; esac
done

# 8192 page tables, 32 MiB. Libc's fork fails, or has the parent killed.
run_hog plain 1 16384 64 1 sparse
if grep -q "status 7" "$out"; then
	echo "page tables are not charged to the group here: part left out"
else
	for way in user lazy; do
		run_hog "$way" 1 16384 64 10 sparse
		all_children "sparse, $way" 10 "status 7"
		lazy_at_least "sparse, $way" 10
	done
fi

for kind in killable hungry; do
	for way in plain off user lazy; do
		run_hog "$way" 1 256 256 2 "$kind"
		all_children "$kind, $way" 2 "signal 9"
	done
done

verdict
