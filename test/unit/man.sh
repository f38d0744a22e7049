#!/bin/bash
# The manual pages say of each option, command, function, constant and counter
# what it is, and of none that there is not; a function is declared there as in
# the header, and has a page of its own name.
. "$(dirname "$0")/lib.sh"

man=$FF_BUILD/man
header=$root/include/flatfork/flatfork.h
command=$man/man1/flatfork.1
functions=$man/man3/flatfork.3
object_page=$man/man7/flatfork.7
file_page=$man/man5/flatfork.conf.5

# same WHAT: $work/want and $work/have are
same() {
	diff -u "$work/want" "$work/have" ||
		fail "$1: wanted (-) and had (+) differ"
}

# plain PAGE: its source as text, without what escapes there mean
plain() {
	sed 's/\\-/-/g; s/\\e/\\/g; s/\\&//g' "$1"
}

for page in "$command" "$functions" "$object_page" "$file_page"; do
	[ -s "$page" ] || fail "$page: not there"
	grep -n '^@' "$page" && fail "$page: a table is missing"
done

# Options: each with its flag, its values, its default and its text. The lines
# of the README, which a test holds against the table, tell them.
"$FF_BUILD/test/unit/options-table" | sed 's/\\|/!/g' >"$work/options"
[ -s "$work/options" ] || fail "no options"
while IFS='|' read -r _ env flag values default what _; do
	env=$(tr -d '` ' <<<"$env") flag=$(tr -d '` ' <<<"$flag")
	default=$(tr -d '` ' <<<"$default") what=${what# } what=${what% }
	# on!off: Cm on | Cm off; what stands for something is an Ar
	values=$(tr -d '` ' <<<"$values" | sed -E 's/!/ | /g;
		s/\b([A-Z]+)\b/Ar \1/g; s/\b([a-z]+)\b/Cm \1/g;
		s/deny:Ar/deny : Ns Ar/')
	default=".Pq default : ${default:+Cm }${default:-none}"
	plain "$object_page" >"$work/7"
	plain "$command" >"$work/1"
	for text in ".It Ev $env Ns = Ns $values" "$what" "$default"; do
		grep -qxF -- "$text" "$work/7" || fail "flatfork(7): $text"
	done
	[ -n "$flag" ] || continue
	for text in ".It Fl ${flag#-} $values" ".Ev $env :" "$what" \
		"$default"; do
		grep -qxF -- "$text" "$work/1" || fail "flatfork(1): $text"
	done
	case $env in
	FLATFORK_CONFIG | FLATFORK_INHERIT | FLATFORK_ONLY | FLATFORK_SKIP) continue ;;
	esac
	plain "$file_page" >"$work/5"
	for text in ".It Cm ${flag#--} No = ${values#Cm stderr | }" "$what" \
		"$default"; do
		grep -qxF -- "$text" "$work/5" || fail "flatfork.conf(5): $text"
	done
done <"$work/options"

# What the help names: flags and commands; the page names no other, and no page
# names a variable that there is not.
expect 0 "$flatfork" --help
cp "$work/out" "$work/help"
sed -nE 's/^([a-z]+) .*/\1/p' "$work/out" >"$work/verbs"
while read -r verb; do
	"$flatfork" help "$verb" >>"$work/help"
done <"$work/verbs"
grep -oE -- '--[a-z-]+' "$work/help" | sort -u >"$work/want"
[ "$(wc -l <"$work/want")" -gt 2 ] || fail "the help has no flags"
plain "$command" | sed -nE '/^\.(It )?Fl /s/(Fl |\| )-/--/gp' |
	grep -oE -- '--[a-z-]+' | sort -u >"$work/have"
same "flags of flatfork(1)"
sort -u "$work/verbs" >"$work/want"
sed -nE 's/^\.It Cm ([a-z]+).*/\1/p' "$command" | sort -u >"$work/have"
[ -s "$work/want" ] || fail "the help has no commands"
same "commands of flatfork(1)"
grep -oE 'FLATFORK(_[A-Z]+)*' "$work/options" "$header" -h | sort -u \
	>"$work/known"
for page in "$command" "$functions" "$object_page" "$file_page"; do
	sed '/^\.Dt/d' "$page" | grep -oE '\bFLATFORK(_[A-Z]+)*' | sort -u |
		grep -vxFf "$work/known" && fail "$page: names what is not"
done

# Facts of doctor.
"$flatfork" doctor 2>"$work/err" | grep -v '^ ' |
	sed -nE 's/^(.{22}) [^ ].*/\1/p' | sed 's/ *$//' | sort >"$work/want"
sed -n '/^\.Ss Facts of doctor/,/^\.Sh/s/^\.It Li //p' "$command" |
	sort >"$work/have"
same "facts of doctor"

# Functions: as the header declares them.
grep -v '^#' "$header" >"$work/header"
sed -e ':a; s|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/||g; /\/\*/ { N; ba }' \
	"$work/header" | tr -s ' \t\n' ' ' | tr ';' '\n' |
	sed -nE 's/^.*FLATFORK_API ([^_]+ \*?flatfork_)/\1/p' |
	sed -E 's/ *, */, /g' | sort >"$work/want"
awk '
	/^\.Ft/ { sub(/^\.Ft /, ""); type = $0 }
	/^\.Fo/ { text = type " " $2 "("; comma = "" }
	/^\.Fa/ && text { sub(/^\.Fa /, ""); text = text comma $0; comma = ", " }
	/^\.Fc/ { print text ")"; text = "" }
' "$functions" | tr -d '"' | sed 's/\* flatfork/*flatfork/' |
	sort >"$work/have"
[ "$(wc -l <"$work/want")" -eq "$(grep -c '^FLATFORK_API' "$header")" ] ||
	fail "the header's declarations were not understood"
same "functions of flatfork(3)"

sed -E 's/.*\b(flatfork_[a-z0-9_]+)\(.*/\1/' "$work/want" | sort >"$work/names"
cp "$work/names" "$work/want"
sed -nE 's/^\.Nm (flatfork_[a-z0-9_]+)( ,)?$/\1/p' "$functions" |
	sort >"$work/have"
same "names of flatfork(3)"
sed -n '/^\.Sh DESCRIPTION/,$p' "$functions" |
	grep -oE '\bflatfork_(start|spawn_[a-z0-9_]+)\b' | sort -u >"$work/have"
same "functions that flatfork(3) describes"
find "$man/man3" -name 'flatfork_*' -printf '%f\n' | sed 's/\.3$//' |
	sort >"$work/have"
same "pages of functions"
grep -LxF '.so man3/flatfork.3' "$man"/man3/flatfork_* | grep . &&
	fail "pages that lead elsewhere"

# Constants and members.
grep -oE '\bFLATFORK_[A-Z_]+\b' "$header" |
	grep -vE '_(FLATFORK_H|API)$' | sort -u >"$work/want"
grep -oE '\bFLATFORK_[A-Z_]+\b' "$functions" | sort -u >"$work/have"
same "constants of flatfork(3)"

# Counters: those of a real line.
expect 0 "$flatfork" run --stats "$work/stats" -- true
grep -oE '"[a-z_]+":' "$work/stats" | tr -d '":' |
	sort >"$work/want"
[ "$(wc -l <"$work/want")" -gt 2 ] || fail "no line of statistics"
members() {
	sed -n "/^\\.Sh $1/,/^\\.Sh $2/p" "$object_page" |
		sed -nE 's/^(\.It )?\.?Li ([a-z_]+)( , ([a-z_]+))?( ,)?$/\2\n\4/p' |
		grep . | sort -u >"$work/have"
}
members STATISTICS PLACES
same "counters of flatfork(7)"

# And those of a place.
expect 0 "$flatfork" run --fork lazy --stats "$work/stats" -- sh -c 'true; ls /'
# The shell's file need not say which function it is.
{ grep -h '"site"' "$work/stats" | grep -oE '"[a-z_]+":' | tr -d '":'
	echo function; } | sort -u >"$work/want"
[ "$(wc -l <"$work/want")" -gt 20 ] || fail "no line of a place"
members PLACES WHAT
same "members of a place in flatfork(7)"

# Reasons of the log.
sed -nE 's/^	X\([A-Z]+, "(.+)", (true|false)\).*/\1/p' \
	"$root/src/site/reason.h" | sort >"$work/want"
[ -s "$work/want" ] || fail "no reasons in reason.h"
plain "$object_page" |
	sed -n '/^\.Bl -bullet -compact/,/^\.El/p' | grep -v '^\.' |
	sort >"$work/have"
same "reasons of flatfork(7)"

# What is taken from libc.
nm -D --defined-only "$object" | awk '{ print $3 }' | sort >"$work/want"
sed -n '/^\.Sh NAMES/,$p' "$object_page" | sed -n 's/^\.It Fn //p' |
	sort >"$work/have"
same "names of flatfork(7)"

finish
