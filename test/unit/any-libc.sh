#!/bin/bash
# The interposer can be loaded with any libc: what the object asks for, held
# against the tables of src/libc, and these against the libcs of this machine.
# A libc that has not got what is asked for ends the program, not us.
. "$(dirname "$0")/lib.sh"

readelf -dW "$object" >"$work/dynamic" || fail "$object can't be read"
[ "$(grep -c '(NEEDED)' "$work/dynamic")" = 1 ] &&
	grep -q '(NEEDED) .*\[libc\.so\.6\]' "$work/dynamic" ||
	fail "needs more than libc.so.6, which all libcs answer to"
for tag in RELR TEXTREL RPATH RUNPATH VERNEED; do
	grep -q "($tag)" "$work/dynamic" && fail "has $tag"
done
# glibc had one kind only for long, musl the other, and tools either.
for tag in HASH GNU_HASH; do
	grep -q "($tag)" "$work/dynamic" || fail "has no $tag"
done

# No version at all is asked for, so none above that of 2012 either.
readelf -VW "$object" | grep -E 'GLIBC_' && fail "asks for versions"

# What musl can't do, and what is looked up in ld.so by a version.
readelf -rW "$object" >"$work/relocations"
grep -E 'IRELATIV|DTPMOD|DTPOFF|COPY|TLSDESC|__tls_get_addr' \
	"$work/relocations" && fail "has relocations that not every libc makes"
readelf --dyn-syms -W "$object" | grep -E ' (IFUNC|UNIQUE) ' &&
	fail "has symbols that not every libc knows"

sed -nE 's/^FF_NEEDS(_DATA)?\(([a-z_A-Z0-9]+)\)$/\2/p' \
	"$root/src/libc/needs.def" | sort >"$work/needs"
[ -s "$work/needs" ] || fail "needs.def has no line"
# The compiler's, and runtimes that are looked for.
{
	sed -nE 's/^\tX\(([a-z_A-Z0-9]+)\).*/\1/p' "$root/src/libc/weak.h"
	printf '%s\n' _ITM_deregisterTMCloneTable _ITM_registerTMCloneTable \
		__cxa_finalize __gmon_start__ __x86_get_cpuid_feature_leaf \
		__asan_init __hwasan_init __msan_init __tsan_init
} | sort >"$work/weak"

nm -D --undefined-only "$object" >"$work/undefined"
awk '$1 == "U" { print $2 }' "$work/undefined" | sort |
	comm -23 - "$work/needs" | grep . && fail "needed, and not in needs.def"
awk '$1 != "U" { print $2 }' "$work/undefined" | sort |
	comm -23 - "$work/weak" | grep . && fail "weak, and not in weak.h"

# has_all LIBC: every name of needs.def, in a version of 2.17 or before
has_all() {
	nm -D --defined-only "$1" | awk '{ print $3 }' | sed 's/@@*/ /' |
		awk '{ split($2, v, /[_.]/)
			if ($2 !~ /^GLIBC_2\./ || v[3] <= 17) print $1 }' |
		sort -u >"$work/has"
	comm -13 "$work/has" "$work/needs" | grep . && fail "$1 has not got them"
}
libc=$(ldd "$flatfork" | awk '$1 == "libc.so.6" { print $3 }')
# ld.so has some that libc.so.6 had
has_all "${libc:?}"
musl=/usr/lib/x86_64-linux-musl/libc.so
[ ! -e "$musl" ] || has_all "$musl"
finish
