#!/bin/bash
# The README's table of options is the option table.
# shellcheck disable=SC2016 # backquotes of Markdown
. "$(dirname "$0")/lib.sh"

readme=$root/README.md
[ -e "$readme" ] || skip "there is no README.md"
"$FF_BUILD/test/unit/options-table" >"$work/want" || fail "options-table"
grep -E '^\| `FLATFORK' "$readme" >"$work/have"
if ! diff -u "$work/want" "$work/have"; then
	fail "README.md needs these lines (-), it has those (+)"
	echo '| variable | flag of `flatfork run` | values | default | what |'
	echo '|---|---|---|---|---|'
	cat "$work/want"
fi

finish
