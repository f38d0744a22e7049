#!/bin/bash
# The interposer exports the names of src/preload/names.def, each of them, no
# other, and each has its reason beside it.
. "$(dirname "$0")/lib.sh"

table=$root/src/preload/names.def
[ -r "$table" ] || fail "$table: not there"
sed -nE 's/^[ \t]*FF_NAME\([ \t]*([A-Za-z0-9_]+).*/\1/p' "$table" |
	sort >"$work/want"
[ -s "$work/want" ] || fail "$table: no FF_NAME line"
sort -u "$work/want" | cmp -s - "$work/want" || fail "$table: a name twice"

nm -D --defined-only "$object" | awk '{ print $3 }' | sort >"$work/have"
diff -u "$work/want" "$work/have" || fail "wanted (-) and exported (+) differ"

# A reason is a string of two words at least, on the line or the next one.
sed -E ':a; /,[ \t]*$/ { N; s/\n[ \t]*/ /; ta }' "$table" |
	grep -E '^[ \t]*FF_NAME\(' |
	grep -vE 'FF_NAME\([^,]+, *"[^" ]+ [^"]+' && fail "names without a reason"

finish
