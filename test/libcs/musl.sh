#!/bin/bash
# Programs of musl, started by a musl's own dynamic linker: the one here, or
# that of another Debian's package.
#
#	musl.sh [RELEASE]
. "$(dirname "$0")/lib.sh"

command -v musl-gcc >/dev/null || skip "there is no musl-gcc (musl-tools)"
linker=()
if [ $# -gt 0 ]; then
	debs "$1" musl
	found=$tree/usr/lib/x86_64-linux-musl/libc.so
	[ -e "$found" ] || skip "$1 has no $found"
	linker=("$found")
fi
program() {
	musl-gcc -O1 -w -D_GNU_SOURCE -I"$root/src/preload" -o "$work/$1" \
		"$here/$2" "${@:3}" || fail "$2 can't be compiled"
}
program names names.c
program plugin.so plugin.c -shared -fPIC
program static names.c -static -DNAMES_STATIC

same names 70 "${linker[@]}" "$work/names" "$work/plugin.so"
grep -q '^plugin: 81$' "$work/plain/out" || fail "the plugin did not run"
grep -q '^__register_atfork: is not$' "$work/user/out" ||
	fail "a name that musl lacks is there"
same static 70 "$work/static"
not_in_force "this libc" "${linker[@]}" "$work/names" -
not_claimed "${linker[@]}" "$work/names" -s
finish
