#!/bin/bash
# What is installed works where it was installed, for two layouts, and is
# removed again; also through DESTDIR. A prefix with a space in it is refused
# by run before anything runs.
# shellcheck disable=SC2016 # inner shells expand those
. "$(dirname "$0")/lib.sh"

command -v ccache >/dev/null && export CMAKE_C_COMPILER_LAUNCHER=ccache

# nothing_left FOLDER: no file, and no folder of ours
nothing_left() {
	find "$1" \( -not -type d -o -name '*flatfork*' \) | grep . &&
		fail "uninstalled, and left behind (see above)"
}

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
	[ ! -e "$work/build/i386" ] || [ "$libdir" = lib ] ||
		cmp "$work/build/i386/libflatfork-preload.so" \
			"$prefix/lib/i386-linux-gnu/libflatfork-preload.so" ||
		fail "$libdir: that of 32 bits"
	for page in man1/flatfork.1 man3/flatfork.3 man3/flatfork_start.3 \
		man5/flatfork.conf.5 man7/flatfork.7; do
		cmp "$work/build/man/$page" "$prefix/share/man/$page" ||
			fail "$libdir: $page"
	done
	# What somebody else has put there stays.
	: >"$prefix/include/other.h"
	expect 0 cmake --build "$work/build" --target uninstall
	rm "$prefix/include/other.h" || fail "uninstall took another's file"
	nothing_left "$prefix"
done
expect 2 cmake --build "$work/build" --target uninstall
says err 'nothing was installed'

export DESTDIR="$work/dest"
expect 0 cmake --install "$work/build"
expect 0 "$DESTDIR$prefix/bin/flatfork" run -- true
silent err
# What every program loads is not taken away from under them.
mkdir "$DESTDIR/etc"
ln -s "${prefix#/}" "$DESTDIR/by"
for list in "$prefix/$libdir/" "$prefix/\$LIB/" "$prefix//$libdir/./" \
	"/by/$libdir/" ''; do
	echo "/other.so ${list}libflatfork-preload.so" >"$DESTDIR/etc/ld.so.preload"
	expect 2 cmake --build "$work/build" --target uninstall
	says err 'flatfork disable --system'
	[ -x "$DESTDIR$prefix/bin/flatfork" ] || fail "uninstalled in part"
done
expect 0 "$DESTDIR$prefix/bin/flatfork" disable --system --root="$DESTDIR"
# Another's of that name is not what goes.
echo "/opt$prefix/$libdir/libflatfork-preload.so [x" >"$DESTDIR/etc/ld.so.preload"
expect 0 cmake --build "$work/build" --target uninstall
rm "$DESTDIR/etc/ld.so.preload" "$DESTDIR/by"
nothing_left "$DESTDIR"
unset DESTDIR

prefix="$work/a prefix"
expect 0 cmake --install "$work/build" --prefix "$prefix"
expect 125 "$prefix/bin/flatfork" run -- echo ran
says err "LD_PRELOAD can't hold a path with a space"
silent out
expect 0 "$prefix/bin/flatfork" --version

# Words for the shell, as bash asks for them.
cat >"$work/ask" <<'END'
. "$1"
compopt() { :; }
COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
_flatfork
printf '%s\n' "${COMPREPLY[@]}"
END
completions=$prefix/share/bash-completion/completions/flatfork
complete() {
	expect 0 bash "$work/ask" "$completions" "$prefix/bin/flatfork" "$@"
	silent err
}
complete 'st'
says out status
complete run --fo
says out --fork
complete run --fork ''
says out lazy
complete run --fork = la
says out lazy
complete run --fork =
says out lazy
complete run --log = "$work/as"
says out "$work/ask"
_command_offset() { echo "from $1"; }
export -f _command_offset
complete run --fork = lazy --min-rss=1M --log = x tru
says out 'from 9'
unset -f _command_offset
complete run --log "$work/as"
says out "$work/ask"
complete check --k
says out --keep
complete check --empty --k
says out --keep
complete top 1 --ti
says out --times
complete trace --
silent err
complete help do
says out doctor

finish
