#!/bin/bash
# Each probe that is documented is in the object, with as many arguments, and
# no other; its arguments are where a tracer finds them.
. "$(dirname "$0")/lib.sh"

command -v readelf >/dev/null || skip "no readelf"
grep -q '^FF_HAVE_SDT:INTERNAL=1' "$FF_BUILD/CMakeCache.txt" ||
	skip "built without sys/sdt.h (systemtap-sdt-dev)"

# name and number of arguments
sed -nE 's/^FF_PROBES_ROW\(([a-z_]+), "([A-Z ]+)",$/\1 \2/p' \
	"$root/src/tell/probes.def" | awk '{ print $1, NF - 1 }' |
	sort >"$work/want"
[ "$(wc -l <"$work/want")" -gt 5 ] || fail "the table can't be read"
readelf -n "$object" 2>/dev/null | awk '
	/Provider: / { provider = $NF }
	$1 == "Name:" { name = $2 }
	$1 == "Arguments:" && provider == "flatfork" { print name, NF - 1 }
' | sort -u >"$work/have"
diff -u "$work/want" "$work/have" || fail "wanted (-) and had (+) differ"

# No semaphore: a probe that nobody looks at is one instruction.
readelf -n "$object" 2>/dev/null | grep 'Semaphore:' |
	grep -qvE 'Semaphore: 0x0+$' && fail "there is a semaphore"

# And no other list in the manual.
man=$FF_BUILD/man/man7/flatfork.7
sed -n '/^\.Sh PROBES/,/^\.Sh NAMES/p' "$man" |
	sed -nE 's/^\.It Li ([a-z\\_]+) .*/\1/p' | sed 's/\\//g' |
	sort >"$work/have"
cut -d' ' -f1 "$work/want" | diff -u - "$work/have" ||
	fail "flatfork(7): wanted (-) and had (+) differ"

finish
