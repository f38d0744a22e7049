#!/usr/bin/env bash
# inherit = off in a file: what is started by exec and posix_spawn, by whatever
# name and in whatever child, has LD_PRELOAD without us; the program itself has
# it as it was, and pointers to nowhere are an error, as with libc.
#
#	heirs.sh [lent]		lent: forks behind protection keys, and no other
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"

conf=$work/conf
starts=$ground/heirs

a=/nowhere/a.so b=/nowhere/b.so
# finds CHILD HOW VALUE THEN [VAR=VALUE...]: each of three children shows that
finds() {
	local child=$1 how=$2 value=$3 then=$4 got want=
	shift 4
	[ -z "$then" ] || want=$(printf '%s\n' "$then" "$then" "$then")
	got=$(env -i "LD_PRELOAD=$value" "FLATFORK_CONFIG=$conf" \
		FLATFORK_BUDGET_MS=20000 PATH="$PATH" "$@" "$starts" \
		"$child" "$how" "$starts" 2>/dev/null) ||
		failed "$child $how $*: status $?"
	[ "$got" = "$want" ] || failed "$child $how '$value' $*: $got"
}

printf '[heirs]\ninherit = off\n' >"$conf"
if [ "${1:-}" = lent ]; then
	behind=(FLATFORK_FORK=lent FLATFORK_FAULT=fence-all)
	for how in other execv execvp execle fails; do
		finds fork $how "$a:$object" "$a" "${behind[@]}" \
			"FLATFORK_STATS=$work/stats"
	done
	finds fork nowhere "$object" '' "${behind[@]}"
	grep -q '"forks_lent":[1-9]' "$work/stats" || failed "none is lent"
	verdict
fi
for way in FLATFORK_FORK=lazy FLATFORK_FORK=lent FLATFORK_FORK=real; do
	for how in execve other execv execvp execvpe execl execle fexecve \
		execveat fails; do
		finds fork "$how" "$object" - "$way"
		finds fork "$how" "$a:$object $b" "$a:$b" "$way"
	done
	finds fork null "$object" - "$way"
	finds fork nowhere "$object" '' "$way"
	finds fork page "$object" '' "$way"
done
for how in execve other execvp execle fails; do
	finds vfork "$how" "$object" -
	finds vfork "$how" "$object:$a" "$a"
	finds vfork "$how" "$object:$a" "$a" FLATFORK_VFORK=libc
done
finds vfork nowhere "$object" ''
for libc in FLATFORK_SPAWN=auto FLATFORK_SPAWN=libc; do
	finds spawn posix_spawn "$object" - $libc
	finds spawn posix_spawnp "$a $object" "$a" $libc
	finds spawn nowhere "$object" '' $libc
done

# The environment goes before; another program's section is another's; off is
# off; what we are not in is handed on as it is.
finds fork other "$object" "$object" FLATFORK_INHERIT=on
printf '[others]\ninherit = off\n' >"$conf"
finds fork other "$object" "$object"
printf 'flatfork = off\ninherit = off\n' >"$conf"
finds fork other "$object" "$object"
printf 'inherit = on\n' >"$conf"
finds fork other "$object" "$object"
printf 'inherit = off\n' >"$conf"
finds fork other "$object:" -
finds fork other "$object:$a:" "$a:"
# Many variables are handed on as they are.
many=()
for ((i = 0; i < 3000; i++)); do many+=("V$i=$i"); done
finds fork other "$object" "$object" "${many[@]}"
finds fork other "$object" - "${many[@]:0:1500}"

verdict
