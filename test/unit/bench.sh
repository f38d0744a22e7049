#!/bin/bash
# flatfork bench: a row for each size, and the numbers of a row are its ratio.
. "$(dirname "$0")/lib.sh"

expect 0 "$flatfork" bench --size 1M,24M
awk '
	NR == 1 { next }
	$2 != "M" || $4 != "us" || $6 != "us" || $3 <= 0 || $5 <= 0 { bad = 1 }
	{ off = $3 / $5 - $7; if (off > 0.02 || off < -0.02) bad = 1 }
	{ sizes = sizes " " $1 }
	END { exit bad || sizes != " 1 24" }
' "$work/out" || fail "the table: $(cat "$work/out")"
silent err

expect 0 "$flatfork" bench --json --size=2M
grep -qE '^\[\{"bytes":2097152,"plain_ns":[1-9][0-9]*,"flatfork_ns":[1-9][0-9]*,"ratio":[0-9]+\.[0-9]{1,2}\}\]$' \
	"$work/out" || fail "json: $(cat "$work/out")"

expect 125 "$flatfork" bench --size 4X
says err "'4X' is not one of up to 16 sizes"
expect 125 "$flatfork" bench --size 1000T
says err "there is not so much memory"
expect 125 "$flatfork" bench --fast
finish
