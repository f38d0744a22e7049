#!/bin/bash
# Every test case is registered, and once: what there is in the sources and in
# the programs that were built is held against what ctest knows.
. "$(dirname "$0")/lib.sh"

tests=$root/test

# What other tests are made with.
helpers='unit start-threads options_table report'

# A line for each test: its program, without the folder, and its arguments.
ctest --test-dir "$FF_BUILD" -N -V >"$work/ctest"
sed -n 's/^[0-9]*: Test command: //p' "$work/ctest" | tr -d '"' >"$work/all"
[ "$(wc -l <"$work/all")" -gt 600 ] || fail "ctest names few tests"

# Two tests may have one command only in different environments.
twice=$(awk '
	/^[0-9]+: Test command: / { sub(/^[0-9]+: /, ""); command = $0 }
	/^[0-9]+:  / { sub(/^[0-9]+: /, ""); command = command $0 }
	/^ *Test +#/ { print command; command = "" }' "$work/ctest" |
	sort | uniq -d)
[ -z "$twice" ] || fail "registered twice: $twice"

# runs TIMES WORD...: as many tests have these words in their commands, one
# behind the other; a word may have a folder before it
runs() {
	local times=$1
	shift
	[ "$(grep -cE "(/| |^)${*//./\\.}( |\$)" "$work/all")" -ge "$times" ]
}

is_helper() {
	[[ " $helpers " == *" $1 "* ]]
}

# All programs: a file with a main, or one of the unit tests, whose main is
# elsewhere.
programs=0
while read -r file; do
	name=$(basename "$file" .c)
	case $file in
	*/unit/*) name=unit-$name ;;
	*/fuzz/*/main.c) name=$(basename "$(dirname "$file")")-fuzz ;;
	*/ground/* | */lowmem/*)
		# run by scripts
		grep -qE "/$name\\b" "$(dirname "$file")"/*.sh ||
			fail "$file is run by no script"
		continue
		;;
	esac
	programs=$((programs + 1))
	is_helper "$(basename "$file" .c)" || runs 1 "$name" ||
		fail "no test runs ${file#"$root/"}"
done < <(grep -lE '^int main\(|^CASES_MAIN|^void unit_tests\(' \
	"$tests"/{unit,prog/*,stress,inject,fuzz/*,ground,lowmem}/*.c)
[ "$programs" -gt 130 ] || fail "only $programs programs were found"

# The cases of programs that have many, as the programs know them: without an
# argument they tell.
cases=0
while read -r file; do
	name=$(basename "$file" .c)
	program=$FF_BUILD/test/prog/$name
	for case in $("$program" 2>&1 | sed -n 's/^no such case; there are://p')
	do
		grep -q "^HELPER($case)" "$file" && continue
		cases=$((cases + 1))
		runs 1 "$name( fork| vfork)?" "$case" ||
			fail "no test runs $name $case"
	done
done < <(grep -l '^CASES_MAIN' "$tests"/prog/*/*.c)
[ "$cases" -gt 200 ] || fail "only $cases cases were found"

# ... and as their sources name them.
while IFS=: read -r file row; do
	name=$(basename "$file" .c)
	case=$(sed -E 's/.*CASE\("?([^") ,]+).*/\1/' <<<"$row")
	runs 1 "$name" "$case" || fail "no test runs $name $case"
done < <(grep -oE '\bCASE\([^,)]+|\bT_CASE\("[^"]+"' "$tests"/prog/*/*.c)

# Words that a program without a table asks for: a test gives each.
for file in "$tests"/prog/*/*.c; do
	name=$(basename "$file" .c)
	grep -q '^CASES_MAIN' "$file" && continue
	given=" $(sed -nE "s|.*/test/prog/$name (.*)|\1|p" "$work/all" |
		tr '\n' ' ') "
	for word in $(grep -oE '\bis\("[^"]+"\)|strcmp\((how|way|what|which|name|by|topic|argv\[[12]\]), "[^"]+"\)' \
		"$file" | sed -E 's/.*"(.*)".*/\1/'); do
		[[ $given == *" $word "* ]] ||
			fail "$name: no test gives it \"$word\""
	done
done

# What a unit test defines it adds, once.
for file in "$tests"/unit/*.c; do
	added=" $(tr -d '\n\t' <"$file" |
		grep -oE 'tcase_add_[a-z_]*test[a-z_]*\(tests, *\w+' |
		sed 's/.*[, ]//' | tr '\n' ' ')"
	while read -r name; do
		[ "$(grep -o " $name " <<<"${added// /  }" | wc -l)" -eq 1 ] ||
			fail "$file does not add $name once"
	done < <(sed -nE 's/^START_TEST\((\w+)\).*/\1/p' "$file")
done

# Scripts, and what they have several of.
for file in "$tests"/{unit,suite,ground,lowmem,libcs,reach}/*.sh; do
	case ${file##*/} in lib.sh | debs.sh) continue ;; esac
	runs 1 "${file##*/}" || fail "no test runs ${file#"$root/"}"
done
for case in $(sed -nE 's/^case_(\w+)\(\).*/\1/p' "$tests/ground/ground.sh"); do
	runs 1 ground.sh "$case" || fail "no test runs ground.sh $case"
done
for fault in $(sed -nE 's/^fault ([a-z,-]+).*/\1/p' "$tests/ground/faults.sh")
do
	runs 1 faults.sh "$fault" || fail "no test runs faults.sh $fault"
done
while read -r file; do
	runs 1 kernel.sh "${file##*/}" || fail "no test runs ${file#"$root/"}"
done < <(grep -l '^lane ' "$tests"/kernel/*.sh)

# A scenario of a real program has a name of its own.
for file in "$tests"/suite/*.sh; do
	twice=$(sed -nE "s/^\s*compare ('[^']*'|\"[^\"]*\"|[^ \"']+) .*/\1/p" \
		"$file" | grep -v '\$' | sort | uniq -d)
	[ -z "$twice" ] || fail "${file##*/} has twice: $twice"
done

finish
