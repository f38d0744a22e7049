#!/usr/bin/env bash
# The main job as a benchmark: examples/mainjob.pl at several sizes, plain and
# under flatfork, `name value unit` lines with medians per child; and the same
# children of a perl of 1 MiB, plain. The last size's cost over the first
# one's is printed as `growth`, by medians and by the 10 % quantile, which
# what else the machine does moves least. Flat means: 1.
#
# mainjob.sh [ROUNDS [MIB...]]     default: 3 rounds, 256 and 4096 MiB
#
# Needs FF_BUILD, the build directory. FF_MAINJOB_COUNTS="SYSTEMS BACKTICKS
# PIPES" changes how many children a run starts. Exit: 0, or 1 when a run
# failed or results differ; no time is a verdict.
set -u

: "${FF_BUILD:?the build directory}"
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
rounds=${1:-3}
shift
[ "$#" -gt 0 ] || set -- 256 4096
read -r -a counts <<<"${FF_MAINJOB_COUNTS:-100 100 20}"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD "${!FLATFORK@}"

# run NAME MIB COMMAND...: one run; its times are appended to $work/NAME.MIB
run() {
	local name=$1 mib=$2
	shift 2
	if ! "$@" perl "$root/examples/mainjob.pl" "$mib" "$work/times" \
		"${counts[@]}" >"$work/$name.$mib.out"; then
		echo "mainjob: $name at $mib MiB failed" >&2
		exit 1
	fi
	cat "$work/times" >>"$work/$name.$mib"
}

# Sizes are compared with each other, so they run one right after the other,
# and every second round the other way about: a machine that gets slower or
# faster meanwhile favours none.
order=("$@")
for ((round = 0; round < rounds; round++)); do
	run small 1 env
	for mib in "${order[@]}"; do
		run plain "$mib" env
	done
	for mib in "${order[@]}"; do
		run flatfork "$mib" "$FF_BUILD/flatfork" run --
		if ! diff "$work/plain.$mib.out" "$work/flatfork.$mib.out" \
			>&2; then
			echo "mainjob: results differ at $mib MiB" >&2
			exit 1
		fi
	done
	reversed=()
	for mib in "${order[@]}"; do
		reversed=("$mib" "${reversed[@]}")
	done
	order=("${reversed[@]}")
done

for mib in "$@"; do
	perl "$root/examples/compare.pl" --lines "${mib}MiB" \
		"$work/plain.$mib" "$work/flatfork.$mib" "$work/small.1" ||
		exit 1
done

# growth NAME SUFFIX QUANTILE: `growth` lines of the runs called NAME.
growth() {
	perl "$root/examples/compare.pl" --lines "$last-over-$first" \
		--quantile "$3" \
		"$work/$1.${last%MiB}" "$work/$1.${first%MiB}" |
		sed -n "s,^ratio\(\.mainjob\.[a-z]*\)\.plain/flatfork,growth$2\1.$1,p"
}

if [ "$#" -gt 1 ]; then
	first=${1}MiB
	last=${!#}MiB
	for name in plain flatfork; do
		growth "$name" "" 0.5
		growth "$name" -p10 0.1
	done
fi
