#!/usr/bin/env bash
# The spawn benchmark at the sizes of README.md here: resident memory times
# descriptors, then threads, vfork and libc's, then ETXTBSY.
# `name value unit` lines; ratios are of one run each.
#
# spawn.sh [ROUNDS]       default: 300
#
# Needs FF_BUILD, the build directory. FF_SPAWN_MIB="0 1024 8192" changes the
# sizes; what the machine does not allow is left out. Exit: 0, or 1 when a run
# failed; no time is a verdict.
set -u

: "${FF_BUILD:?the build directory}"
here=$FF_BUILD/test/bench
rounds=${1:-300}
unset LD_PRELOAD "${!FLATFORK@}"
musl=()
[ -x "$here/spawn-musl" ] && musl=(--musl "$here/spawn-musl")
preload=$FF_BUILD/libflatfork-preload.so

# run PROGRAM ARG...: under the interposer; 77 is no failure
run() {
	env LD_PRELOAD="$preload" "$@"
	local status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 77 ] || exit 1
}

# 20,000 descriptors, and some for who needs one: or what is allowed
many=$(ulimit -H -n)
[ "$many" = unlimited ] && many=20064
many=$((many < 20064 ? many - 64 : 20000))
available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
for mib in ${FF_SPAWN_MIB:-0 1024 8192}; do
	# musl's is a second process of that size
	[ "$((mib * 5 / 2))" -lt "$available" ] || musl=()
	if [ "$((mib * 5 / 4))" -gt "$available" ]; then
		echo "spawn.sh: $mib MiB are not available" >&2
		continue
	fi
	for fds in 20 "$many"; do
		run "$here/spawn-bench" --mib "$mib" --fds "$fds" \
			--rounds "$rounds" --threads 0 "${musl[@]}"
	done
	run "$here/spawn-bench" --mib "$mib" --rounds "$((rounds / 3 + 1))" \
		--threads 16 | grep throughput
	run "$here/vfork-bench" --mib "$mib" --rounds "$((rounds * 3))"
done

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
"$here/busy" "$here/noop" "$((rounds * 16))" | sed 's/^/busy.glibc./' || exit 1
run "$here/busy" "$here/noop" "$((rounds * 16))" | sed 's/^/busy.preload./'
