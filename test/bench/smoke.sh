#!/usr/bin/env bash
# The benchmarks run at a small size and print every line they promise, each
# a name, a number and a unit.
set -u

. "$(dirname "$0")/expect.sh"

"$FF_BUILD/test/bench/bench" --mib 4,64 --rounds 3 --batch 2 \
	--preload "$FF_BUILD/libflatfork-preload.so" >"$out"
status=$?
[ "$status" -eq 0 ] || exit "$status"
for mib in 4 64; do
	for way in plain-fork flatfork vfork posix_spawn; do
		for what in whole whole-p90 call; do
			expect "$way.$what.${mib}MiB" us
		done
	done
	for what in none plain-fork flatfork; do
		expect "touch-after.$what.${mib}MiB" ns/page
	done
	for ratio in plain-fork/vfork plain-fork/flatfork flatfork/vfork \
		flatfork/posix_spawn; do
		expect "ratio.$ratio.${mib}MiB" x
	done
	for counter in forks_lazy forks_real rollbacks hydrations; do
		expect "flatfork.$counter.${mib}MiB" count
	done
done
for way in plain-fork flatfork vfork posix_spawn; do
	expect "growth.$way.64MiB/4MiB" x
done

export FF_MAINJOB_COUNTS="4 4 2"
bash "$here/mainjob.sh" 1 16 64 >"$out" || exit 1
for kind in system backticks pipe; do
	for mib in 16 64; do
		expect "mainjob.$kind.plain.${mib}MiB" us
		expect "mainjob.$kind.flatfork.${mib}MiB" us
		expect "mainjob.$kind.small.${mib}MiB" us
		for ratio in plain/flatfork plain/small flatfork/small; do
			expect "ratio.mainjob.$kind.$ratio.${mib}MiB" x
		done
	done
	for growth in growth growth-p10; do
		expect "$growth.mainjob.$kind.flatfork.64MiB-over-16MiB" x
	done
done

reach=("$FF_BUILD/test/bench/reach-bench" --rounds 3
	--preload "$FF_BUILD/libflatfork-preload.so"
	--child "$FF_BUILD/test/bench/noop")
"${reach[@]}" mappings 100,2000 >"$out" || exit 1
for n in 100 2000; do
	expect "reach.plain.${n}mappings" us
	expect "reach.flatfork.${n}mappings" us
	expect "ratio.reach.flatfork/plain.${n}mappings" x
done
"${reach[@]}" dropped 64 >"$out"
status=$?
case $status in
0)
	for way in plain dumpable dropped; do
		expect "reach.$way.64MiB" us
	done
	expect "ratio.reach.dropped/dumpable.64MiB" x
	;;
77) ;;
*) exit "$status" ;;
esac

"$FF_BUILD/test/bench/threads-bench" --rounds 1 --ms 50 --mib 64 --real 1 \
	--preload "$FF_BUILD/libflatfork-preload.so" \
	--child "$FF_BUILD/test/bench/noop" 4 >"$out" || exit 1
for way in plain flatfork; do
	for n in 1 4; do
		expect "threads.$way.$n" /s
		expect "threads.$way.$n.cpu" us
		expect "threads.$way.$n.never" /s
	done
done
for n in 1 4; do
	expect "threads.flatfork.$n.forks_lazy" count
	expect "threads.flatfork.$n.forks_real" count
done
expect ratio.threads.flatfork.4/1 x
expect ratio.threads.flatfork.4/1-of-4 x
expect threads.flatfork.1-of.4 /s
expect threads.failed count

[ "$failures" -eq 0 ]
