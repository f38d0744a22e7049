#!/usr/bin/env bash
# The spawn benchmark runs at a small size and prints every line it promises.
set -u

. "$(dirname "$0")/expect.sh"

FF_SPAWN_MIB=4 bash "$here/spawn.sh" 4 >"$out" || exit 1
for way in preload flatfork glibc vfork floor; do
	expect "spawn.$way.4MiB.20fd" us
	expect "spawn.$way.4MiB.20fd.closefrom" us
	expect "throughput.$way.16threads" /s
done
for way in vfork floor; do
	expect "ratio.spawn.$way/glibc.4MiB.20fd" x
	expect "ratio.spawn.$way/glibc.4MiB.20fd.closefrom" x
done
for of in glibc vfork floor; do
	expect "ratio.spawn.preload/$of.4MiB.20fd" x
	expect "ratio.spawn.flatfork/$of.4MiB.20fd.closefrom" x
done
if [ -x "$FF_BUILD/test/bench/spawn-musl" ]; then
	expect "spawn.musl.4MiB.20fd" us
	expect "ratio.spawn.preload/musl.4MiB.20fd" x
fi
for what in vfork vfork-p10; do
	expect "$what.preload.4MiB" us
	expect "$what.glibc.4MiB" us
	expect "ratio.$what.preload/glibc.4MiB" x
done
expect busy.glibc.etxtbsy count
expect busy.preload.etxtbsy count

[ "$failures" -eq 0 ]
