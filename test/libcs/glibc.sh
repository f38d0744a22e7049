#!/bin/bash
# Programs of another Debian's glibc, started by its own dynamic linker:
#
#	glibc.sh RELEASE VERSION [known]
#
# "names" is compiled against that glibc: so its libpthread, libutil and libdl
# are what programs of its time were linked with, or not.
. "$(dirname "$0")/lib.sh"

release=$1
version=$2
known=${3-}
debs "$release" libc6 libc6-dev linux-libc-dev dash perl-base libcrypt1 \
	libgcc-s1
if [ -e "$tree/usr/lib/x86_64-linux-gnu/libc.so.6" ]; then
	lib=usr/lib/x86_64-linux-gnu
	[ -e "$tree/lib" ] || ln -s usr/lib "$tree/lib"
	[ -e "$tree/lib64" ] || ln -s usr/lib64 "$tree/lib64"
else
	lib=lib/x86_64-linux-gnu
fi
paths=$tree/$lib:$tree/usr/lib/x86_64-linux-gnu
linker=$(find "$tree/$lib" -maxdepth 1 -name 'ld-*.so*' -type f | head -n 1)
[ -x "$linker" ] || skip "$release has no dynamic linker in $lib"
by=("$linker" --library-path "$paths")

# program NAME SOURCE START OPTION...: START is what a program begins in. All by
# their files: links and linker scripts name those of the machine.
libc=$tree/$lib
program() {
	local dev=$tree/usr/lib/x86_64-linux-gnu

	"${CC:-cc}" --sysroot="$tree" -O1 -w -D_GNU_SOURCE -fPIC \
		-I"$root/src/preload" -o "$work/$1" -nostdlib ${3:+"$dev/$3"} \
		"$dev/crti.o" "$here/$2" -Wl,--no-as-needed \
		-Wl,-rpath-link,"$libc" "${@:4}" "$libc/libc.so.6" \
		"$dev/libc_nonshared.a" "$dev/crtn.o" 2>"$work/cc" || {
		cat "$work/cc"
		fail "$2 can't be compiled for $release"
	}
}

threads=("$libc/libpthread.so.0" "$libc/libutil.so.1")
program names names.c Scrt1.o -pie "$libc/libdl.so.2"
program threaded names.c Scrt1.o -pie "$libc/libdl.so.2" "${threads[@]}"
program plugin.so plugin.c '' -shared "${threads[@]}"

says=$("${by[@]}" --version 2>/dev/null | head -n 1)
[ -z "$says" ] || [[ $says == *" $version"* ]] ||
	skip "$release has another glibc: $says"
for name in names threaded; do
	same "$name" 70 "${by[@]}" "$work/$name" "$work/plugin.so"
	grep -q '^plugin: 81$' "$work/plain/out" ||
		fail "$name: the plugin did not run: $(cat "$work/plain/out")"
done
dash=$(find "$tree"/{,usr/}bin -name dash 2>/dev/null | head -n 1)
# shellcheck disable=SC2016 # dash expands it
same dash 5 "${by[@]}" "$dash" -c \
	'for i in 1 2 3; do echo $(echo $i | tr 1 x); done; (exit 7); echo $?
	sleep 0 & wait; exit 5'
# shellcheck disable=SC2016 # perl's
same perl 6 "${by[@]}" "$tree/usr/bin/perl" -e \
	'$| = 1; my $m = "x" x (64 << 20); print `echo back`; system "echo sys";
	my $p = fork; if (!$p) { exec "sh", "-c", "exit 3" } waitpid $p, 0;
	print $? >> 8, "\n"; exit 6'
if [ -z "$known" ]; then
	not_in_force "glibc $version" "${by[@]}" "$dash" -c '(exit 1); exit 1'
	not_claimed "${by[@]}" "$work/names" -s
else
	one log LD_PRELOAD="$object" FLATFORK_LOG="$work/log" \
		FLATFORK_FORK=lazy -- "${by[@]}" "$tree/usr/bin/perl" -e \
		'system "true;"; exit 0'
	grep -q 'fork at .*: lazy: child exec' "$work/log" ||
		fail "it is not in force: $(cat "$work/log")"
fi
finish
