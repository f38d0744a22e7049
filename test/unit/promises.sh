#!/bin/bash
# Each promise of src/PROMISES.md has tests that exist, and each hazard of the
# sources is explained once and has its row there.
# shellcheck disable=SC2016 # backquotes of Markdown
. "$(dirname "$0")/lib.sh"

promises=$root/src/PROMISES.md
[ -e "$promises" ] || skip "there is no src/PROMISES.md"
rows=$(grep '^| ' "$promises" | grep -v '^| promise')
[ "$(wc -l <<<"$rows")" -gt 40 ] || fail "the table can't be read"

# H-A1 to H-A3 stands for three labels.
promised() {
	grep -oE 'H-[A-Z][0-9]+( to H-[A-Z][0-9]+)?' <<<"$rows" |
		awk '{
			letter = substr($1, 3, 1)
			last = substr($NF, 4)
			for (i = substr($1, 4); i <= last + 0; i++)
				print "H-" letter i
		}' | sort -u
}

sources=(--include='*.[chS]' --include='*.def' "$root/src")
grep -rhoE '^ *\* +H-[A-Z][0-9]+ ' "${sources[@]}" | tr -d ' *' | sort \
	>"$work/explained"
[ -s "$work/explained" ] || fail "no hazard is found in the sources"
while read -r label; do
	fail "$label is explained more than once"
done < <(uniq -d "$work/explained")
sort -u -o "$work/explained" "$work/explained"
while read -r label; do
	fail "$label is named in the sources, and not explained"
done < <(grep -rhoE 'H-[A-Z][0-9]+' "${sources[@]}" | sort -u |
	comm -23 - "$work/explained")
promised >"$work/promised"
if ! diff -u "$work/explained" "$work/promised"; then
	fail "src/PROMISES.md lacks labels (-), or has labels that are none (+)"
fi

# Names in the last column; behaviour- is left out, * stands for anything.
ctest --test-dir "$FF_BUILD" -N | sed -n 's/^ *Test *#[0-9]*: //p' \
	>"$work/tests"
[ -s "$work/tests" ] || fail "ctest names no test"

exists() {
	local name
	while read -r name; do
		# shellcheck disable=SC2053 # a pattern
		[[ $name = $1 || $name = behaviour-$1 ]] && return
	done <"$work/tests"
	return 1
}

while read -r row; do
	tests=${row% |}
	mapfile -t tests < <(grep -oE '`[^`]+`' <<<"${tests##* | }" | tr -d '`')
	[ "${#tests[@]}" -gt 0 ] || fail "no test: $row"
	for name in "${tests[@]}"; do
		exists "$name" || fail "no such test: $name"
	done
done <<<"$rows"

finish
