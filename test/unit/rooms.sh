#!/bin/bash
# Which room may know which: the table, and the sources held against it.
# shellcheck disable=SC2016 # backquotes of Markdown
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

# All "file included" pairs, however they are written; include/ is nobody's
# room. What has no folder is in the processor's.
is_room=$(cd "$root/src" && printf '%s|' */)
is_room=${is_room//\//}
includes() {
	(cd "$root/src" && grep -rHE '^\s*#\s*include' --include='*.[chS]' \
		--include='*.def' .) |
		sed -nE 's|^\./([^:]*):\s*#\s*include\s*(["<][^">]*).*|\1 \2|p' |
		grep -E " (\"|<(${is_room%|})/|<.*\.\./)" | sed 's/ ["<]/ /' |
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
	[[ $included != *..* ]] || fail "$file includes $included"
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

# names PATTERN ROOM: lines elsewhere that have it
names() {
	grep -rnE "$1" "$root"/src --include='*.[ch]' --include='*.def' |
		sed "s|^$root/src/||" | grep -vE "^$2"
}

# What is this processor's is arch's: registers, names, instructions, calls that
# others lack. Those have rows in the tables of calls, whose numbers are this
# processor's anyway. Text for the assembler elsewhere is the name of a symbol,
# or nothing.
registers='\<(REG_[A-Z0-9]+|[re]([sb]p|ip|[abcd]x|[sd]i|flags)|EM_X86_64'
registers+='|_Ux86_64_[a-z_]+|__(x86_64|amd64|i386|aarch64)(__)?)\>|_ia32_'
registers+='|<(cpuid|[a-z]*intrin|asm/[a-z]*prctl|sys/platform/.*)\.h>|\<asm *\('
registers+='|\<((SYS_|__NR_)?(arch_prctl|modify_ldt|[gs]et_thread_area|iop(l|erm)'
registers+='|vm86(old)?)|cpuid|xgetbv|xsave|fxsave|rd(tsc|pkru)p?|[fg]s_?base'
registers+='|ARCH_[A-Z_]+|MAP_32BIT|AUDIT_ARCH_[A-Z0-9_]+|gregs|fpregs)\>'
registers+='|int \$0x80'
while read -r line; do
	fail "a register, or what is of one processor: $line"
done < <(names "$registers" 'arch/|calls/(calls|requests)\.def:'
	names '\<__asm__\>' arch/ | grep -vE '__asm__\("(_[A-Za-z_]*)?"( :|\))')

# What is one libc's is libc's: versions, and members of its structs.
while read -r line; do
	fail "what is of one libc: $line"
done < <(names '__GLIBC|GLIBC_|libc-version\.h|\<dlvsym|_CS_GNU_LIBC|(->|\w\.)__[a-z]' libc/)

# In a table of descriptors that other threads change. A child has its own; who
# reads the settings opens what it does not read.
while read -r line; do
	fail "a file of ours that is not held (host/held.h): $line"
done < <(names '\<sys\(open(at2?)?,|\<SYS_open' \
	'(host/(held\.c|sys\.h)|process/asks\.def|(.*/)?child/|spawn/|api/|cli/)' |
	grep -vE "^(lazy/(strays|parent/serve)|ways/settings|tell/config)\.c:")

# The files of the engines are those of the table in src/README.md.
sed -n '/^| engine/,/^$/p' "$root/src/README.md" | grep -oE '`[^`]+`' |
	grep -v / | tr -d '`' >"$work/table"
find "$root"/src/{lazy,lend,spawn} -name '*.c' -printf '%f\n' >"$work/files"
while read -r name; do
	# shellcheck disable=SC2053 # a pattern
	while read -r row; do
		[[ $name != $row ]] || continue 2
	done <"$work/table"
	fail "src/README.md does not say on whose side $name is"
done <"$work/files"
while read -r row; do
	[ -n "$(find "$root"/src/{lazy,lend,spawn} -name "$row")" ] ||
		fail "src/README.md names $row, which is not there"
done <"$work/table"

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

# Whatever is declared where: an object uses what is in the rooms of its row
# alone; none but the command's, which is another program, names of libc's that
# preload has. One that is left of a file that is gone says nothing.
find "$FF_BUILD/src" -name '*.o' | while read -r object; do
	file=${object#"$FF_BUILD/src/"}
	file=${file%%CMakeFiles/*}${file##*.dir/}
	[[ $file != */__/* ]] || file=${file##*/__/}
	[ ! -e "$root/src/${file%.o}" ] || echo "$object ${file%.o}"
done | sort -u -k2,2 >"$work/objects"
cut -d' ' -f1 "$work/objects" | xargs nm -A 2>/dev/null |
	sed 's/:/ /' | awk -v objects="$work/objects" '
		BEGIN { while (getline <objects) file[$1] = $2 }
		$(NF - 1) ~ /^[UTDBRVC]$/ { print $NF, $(NF - 1), file[$1] }
	' >"$work/symbols"
awk '$2 != "U" { print $1, $3 }' "$work/symbols" | LC_ALL=C sort >"$work/has"
used=0
while read -r name file in; do
	used=$((used + 1))
	room_of from "$file"
	room_of to "$in"
	[[ $from != cli || $name == ff_* ]] || continue
	may_include "$from" "$to" || fail "$file uses $name of $in"
	[[ $file == */child/* && $in == */parent/* ]] &&
		fail "$file, a child's, uses $name of $in, a parent's"
done < <(awk '$2 == "U" { print $1, $3 }' "$work/symbols" | LC_ALL=C sort |
	LC_ALL=C join - "$work/has")
[ "$used" -gt 1000 ] || fail "only $used uses of symbols were found"

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
