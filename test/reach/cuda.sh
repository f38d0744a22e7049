#!/bin/bash
# PyTorch with CUDA, whose mappings children do not inherit (cuda.py): children
# of all kinds as plain ones, and those that exec lazy, or lent. The python is
# the first on the path. T_GIB: host memory, T_TIMES: children of each kind.
. "$(dirname "$0")/lib.sh"

needs python3
python=$(command -v python3)
"$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' \
	2>/dev/null || skip "no PyTorch with CUDA here"
base=(PATH="$PATH" HOME="$work" PYTHONPATH="${PYTHONPATH-}"
	LD_LIBRARY_PATH="${LD_LIBRARY_PATH-}")
seconds=${FF_SECONDS:-500}
times=${T_TIMES:-5}
program=("$python" "$here/cuda.py" "${T_GIB:-1}" "$times")

run plain "${program[@]}"
[ "$(status_of plain)" = 0 ] || {
	tail -n 5 "$work/plain/err"
	skip "it does not run here"
}
for way in user lazy off; do
	way_env "$way"
	run "$way" env "${with[@]}" "${program[@]}"
	same_as_plain "$way" out status
	[ "$way" != off ] || continue
	# five kinds exec, each alone and beside threads; places are learnt
	flat=$(($(count "$way" forks_lazy) + $(count "$way" forks_lent)))
	[ "$flat" -ge $((5 * 2 * times - 8)) ] ||
		failed "$way: only $flat forks were lazy or lent"
done
verdict
