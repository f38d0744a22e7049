#!/bin/bash
# The manual pages are rendered without a warning, whole, in 80 columns, by
# whatever renders them here, and found by the names of the functions.
. "$(dirname "$0")/lib.sh"

command -v groff >/dev/null || skip "groff is not installed"
man=$FF_BUILD/man

# quiet PAGE COMMAND...: says nothing, neither where it fails
quiet() {
	local page=$1
	shift
	expect 0 "$@" "$page"
	silent err
}

for name in flatfork.1 flatfork.3 flatfork.conf.5 flatfork.7; do
	section=${name##*.}
	page=$man/man$section/$name
	quiet "$page" groff -mandoc -Tutf8 -ww
	# a macro's name among words is a word that is lost
	quiet "$page" groff -mandoc -Tascii -P-cbou -ww
	grep -q "^flatfork [0-9]" "$work/out" || fail "$page: it has no end"
	awk 'length > 80' "$work/out" | grep . &&
		fail "$page: lines of more than 80 columns"
	sed 's/-$//' "$work/out" | tr -s ' \n' ' ' >"$work/$section"
	if command -v mandoc >/dev/null; then
		expect 0 mandoc -T lint -W warning "$page"
	fi
	if command -v lexgrog >/dev/null; then
		expect 0 lexgrog "$page"
	fi
done

# The example of an error is the one of the header.
grep -qF 'action 3: open "/x/y": No such file or directory' "$work/3" ||
	fail "flatfork(3) has lost words"

if command -v man >/dev/null && man -w man >"$work/out" 2>&1; then
	for name in flatfork_start flatfork_spawn_map; do
		expect 0 env MANWIDTH=80 man --warnings -M "$man" 3 "$name"
		silent err
		grep -q FLATFORK_AUTOKILL "$work/out" ||
			fail "man 3 $name shows another page"
	done
fi

finish
