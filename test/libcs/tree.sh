#!/bin/bash
# LD_PRELOAD is set for a whole tree of processes: a shell that starts programs
# of musl, of an older and a newer glibc by their own linkers, static ones, one
# that is set-user-id, and one of 32 bits; and they start others.
. "$(dirname "$0")/lib.sh"

command -v musl-gcc >/dev/null || skip "there is no musl-gcc (musl-tools)"
cc=${CC:-cc}
options=(-O1 -w -D_GNU_SOURCE -I"$root/src/preload")
"$cc" "${options[@]}" -o "$work/here" "$here/names.c" &&
	"$cc" "${options[@]}" -o "$work/static" "$here/names.c" -static \
		-DNAMES_STATIC 2>"$work/cc" &&
	musl-gcc "${options[@]}" -o "$work/musl" "$here/names.c" &&
	musl-gcc "${options[@]}" -o "$work/musl-static" "$here/names.c" \
		-static -DNAMES_STATIC || fail "can't compile"

same here 70 "$work/here"
same static 70 "$work/static"

# An older and a newer glibc.
debs bullseye libc6 dash
old=("$tree/lib/x86_64-linux-gnu/ld-2.31.so" --library-path
	"$tree/lib/x86_64-linux-gnu" "$tree/bin/dash")
debs trixie libc6 dash
new=("$tree/usr/lib64/ld-linux-x86-64.so.2" --library-path
	"$tree/usr/lib/x86_64-linux-gnu" "$tree/usr/bin/dash")
[ -x "${new[0]}" ] || new[0]=$tree/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2

# Of 32 bits: $LIB in LD_PRELOAD is what each dynamic linker takes it for.
bits=./here
mkdir -p "$work"/lib/{x86_64,i386}-linux-gnu "$work/lib32"
ln -s "$object" "$work/lib/x86_64-linux-gnu/"
# shellcheck disable=SC2016 # the dynamic linker's
by_lib=$work'/$LIB/libflatfork-preload.so'
small=$FF_BUILD/i386/libflatfork-preload.so
if [ -e "$small" ]; then
	ln -s "$small" "$work/lib/i386-linux-gnu/"
	ln -s "$small" "$work/lib32/"
	debs bookworm libc6-i386
	if "$cc" -m32 -O1 -w -fno-pic -no-pie -fno-stack-protector -nostdlib \
		-o "$work/elf32" "$here/elf32.c" "$tree/lib32/libc.so.6" \
		-Wl,-rpath,"$tree/lib32" \
		-Wl,--dynamic-linker="$tree/lib32/ld-linux.so.2" \
		2>"$work/cc" && one plain -- "$work/elf32" &&
		[ "$(cat "$work/one-plain/status")" = 90 ]; then
		preload=$by_lib
		same elf32 90 "$work/elf32"
		preload=''
		bits=./elf32
	else
		echo "not run: a program of 32 bits:" \
			"$(cat "$work/cc" "$work/one-plain/err")"
	fi
else
	echo "not run: a program of 32 bits (the compiler makes none)"
fi

tree() {
	cat <<-END
		step() { "\$@"; echo "\$1: \$?"; }
		cd $work
		step ./here
		step ./musl
		step ./static
		step \$1
		step ./musl-static
		step ${old[*]} -c './musl; ./here | tail -n 1; exit 3'
		step ${new[*]} -c '${old[*]} -c "./musl -; exit 4"; exit 5'
	END
}
tree >"$work/tree"
same tree 0 sh "$work/tree" ./here
preload=$by_lib
same 'tree by $LIB' 0 sh "$work/tree" "$bits"
one with LD_PRELOAD="$by_lib" -- grep -c "$object" /proc/self/maps
[ "$(cat "$work/one-with/out")" -gt 0 ] || fail "\$LIB does not lead to us"
preload=''
grep -qc '^./musl: 70$' "$work/plain/out" || fail "musl did not run"

# Given other rights than who starts it, it is not told of us: a path in
# LD_PRELOAD is no matter then.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	cp "$work/here" "$work/rights" && chmod 4755 "$work/rights"
	setpriv --reuid=65534 --clear-groups cat "$work/rights" \
		>/dev/null 2>&1 || fail "nobody can't read $work"
	same set-user-id 70 setpriv --reuid=65534 --clear-groups \
		"$work/rights"
	one with LD_PRELOAD="$object" -- setpriv --reuid=65534 --clear-groups \
		"$work/rights" -u
	[ "$(cat "$work/one-with/out")" = 0 ] ||
		echo "set-user-id programs are not so here"
else
	echo "not run: a set-user-id program (needs root and setpriv)"
fi
finish
