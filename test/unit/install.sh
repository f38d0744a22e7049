#!/bin/bash
# What is installed works where it was installed, for two layouts.
# shellcheck disable=SC2016 # inner shells expand those
. "$(dirname "$0")/lib.sh"

for libdir in lib lib/x86_64-linux-gnu; do
	prefix=$work/$libdir/prefix
	# The library directory is part of the configuration: of the command's.
	expect 0 cmake -S "$root" -B "$work/build" -DBUILD_TESTING=OFF \
		-DCMAKE_BUILD_TYPE=Debug \
		-DCMAKE_INSTALL_PREFIX="$prefix" \
		-DCMAKE_INSTALL_LIBDIR="$libdir"
	expect 0 cmake --build "$work/build" -j2
	expect 0 cmake --install "$work/build"
	expect 0 "$prefix/bin/flatfork" run -- sh -c 'echo "$LD_PRELOAD"'
	[ "$(cat "$work/out")" = "$prefix/$libdir/libflatfork-preload.so" ] ||
		fail "$libdir: $(cat "$work/out")"
	silent err
	for page in man1/flatfork.1 man3/flatfork.3 man3/flatfork_start.3 \
		man5/flatfork.conf.5 man7/flatfork.7; do
		cmp "$work/build/man/$page" "$prefix/share/man/$page" ||
			fail "$libdir: $page"
	done
done

finish
