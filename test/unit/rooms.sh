#!/bin/bash
# Which room may know which: the table, and the sources held against it.
. "$(dirname "$0")/lib.sh"

# A room includes itself and what is in its row, and nothing else. Rows go from
# above to below, so there is no circle; what a child runs, in memory that is
# not its own or not there, has rows of its own.
rooms='
cli		process site tell arch
man		site tell preload
api		spawn tell libc host arch
preload		ways lazy lend spawn process site calls tell libc host arch
ways		lazy lend process site calls tell libc host arch
lazy		process site calls tell libc host arch
lazy/child	lazy process calls host arch
lend		process site calls tell libc host arch
lend/child	lend process calls tell libc host arch
spawn		process site tell libc host arch
spawn/child	spawn host arch
process		tell host arch
site		tell libc host arch
calls		host arch
tell		libc host arch
libc		host arch
host		arch
arch		none
'

declare -A row_of
while read -r room row; do
	[ -z "$room" ] || row_of[$room]=" $row "
done <<<"$rooms"

# The room of a file, as far as it has a row, into the variable named.
room_of() {
	case $2 in
	lazy/child/* | lend/child/* | spawn/child/*)
		printf -v "$1" %s "${2%/*}" ;;
	*) printf -v "$1" %s "${2%%/*}" ;;
	esac
}

# All "file included" pairs; include/ is nobody's room. What has no folder is
# in the processor's.
includes() {
	(cd "$root/src" && grep -rHE '^#include "' --include='*.[chS]' .) |
		sed -E 's|^\./([^:]*):#include "([^"]*)".*|\1 \2|' |
		sed -E 's|^([^ ]*) ([^/]*)$|\1 arch/\2|' | grep -v ' flatfork/'
}

# Is it in the row, or is the room above it (a parent's side may know all of
# its own room)?
may_include() {
	local from=$1 to=$2 row=${row_of[$1]-}
	[ -n "$row" ] || return 1
	[ "$from" = "$to" ] || [ "$from" = "${to%%/*}" ] ||
		[[ $row == *" ${to} "* ]] ||
		{ [ "$from" = "${from%%/*}" ] && [[ $row == *" ${to%%/*} "* ]]; }
}

seen=0
while read -r file included; do
	seen=$((seen + 1))
	room_of from "$file"
	room_of to "$included"
	may_include "$from" "$to" ||
		fail "$file includes $included"
done < <(includes)
[ "$seen" -gt 300 ] || fail "only $seen includes were found"

# A child's side knows its room's root, not its parent's side.
while read -r file included; do
	[[ $file == */child/* && $included == */parent/* ]] &&
		fail "$file, a child's, includes $included, a parent's"
done < <(includes)

# What is this processor's is arch's.
registers='\<(REG_[A-Z0-9]+|r[sb]p|rip|EM_X86_64|_Ux86_64_[a-z_]+)\>|_ia32_'
while read -r line; do
	fail "a register, or what is of one processor: $line"
done < <(grep -rnE "$registers" "$root"/src --include='*.[ch]' |
	grep -vF "$root/src/arch/" | sed "s|^$root/||")

# The table has no arrow up: each row names rows below it.
above=" "
while read -r room row; do
	[ -n "$room" ] || continue
	for below in $row; do
		[[ $above == *" $below "* && $room != "$below"/child ]] &&
			fail "the row of $room names $below, which is above"
	done
	above+="$room "
done <<<"$rooms"

# What a child runs calls nothing of libc that may lock or allocate.
allowed='ff_.*|_GLOBAL_OFFSET_TABLE_|__errno_location|__rseq_(offset|size)'
allowed+='|mem(cpy|move|set|cmp)|__start_ff_.*|__stop_ff_.*'
# ... what a compiler adds for coverage and sanitizers
allowed+='|__(gcov|ubsan|asan|tsan)_.*|__stack_chk_fail'
objects=0
for object in "$FF_BUILD"/src/CMakeFiles/*/{lazy,lend,spawn}/child/*.o; do
	[ -e "$object" ] || continue
	objects=$((objects + 1))
	calls=$(nm -u "$object" | awk '{ print $2 }' |
		grep -vxE "$allowed" | tr '\n' ' ')
	[ -z "$calls" ] || fail "${object##*/CMakeFiles/} calls $calls"
done
[ "$objects" -gt 15 ] || fail "only $objects objects of children were found"

finish
