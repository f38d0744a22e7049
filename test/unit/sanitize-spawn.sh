#!/bin/bash
# libflatfork under AddressSanitizer with UBSan, under ThreadSanitizer, and
# under valgrind's memcheck, one an argument: address | thread | memcheck.
# The parent's side: what the child runs before exec is compiled as it is
# shipped, since it may call nothing, a sanitizer's runtime least of all.
. "$(dirname "$0")/lib.sh"

kind=${1:?address, thread or memcheck}
cc=${CC:-cc}
flags=(-std=c11 -D_GNU_SOURCE -g -O1 -fno-strict-aliasing -pthread
	-fvisibility=hidden "-I$root/src" "-I$root/src/arch/$(uname -m)" "-I$root/include" "-I$root/test/unit")
case $kind in
address) with=(-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all) ;;
thread) with=(-fsanitize=thread) ;;
memcheck)
	with=()
	command -v valgrind >/dev/null || skip "valgrind is not installed"
	;;
esac
echo 'int main(void) { return 0; }' >"$work/empty.c"
"$cc" "${with[@]}" -o "$work/empty" "$work/empty.c" 2>/dev/null &&
	"$work/empty" || skip "the compiler or the machine has no $kind"

# compile FILE.c...: into $work/*.o, those of the child without sanitizer
compile() {
	local file extra

	for file in "$@"; do
		extra=("${with[@]}")
		case $file in
		*/spawn/child*.c | */spawn/search.c | *.S) extra=() ;;
		esac
		"$cc" "${flags[@]}" "${extra[@]}" -c -o \
			"$work/${file//\//_}.o" "$file" || exit 1
	done
}

# What libflatfork is made of.
mapfile -t sources < <(sed -nE '/^set\(FF_(SPAWN|API)_SOURCES/,/\)/p' \
	"$root/src/sources.cmake" | sed "s/\${FF_ARCH}/$(uname -m)/" |
	grep -oE '[a-z0-9_/]+\.[cS]')
[ "${#sources[@]}" -gt 5 ] ||
	fail "src/sources.cmake: no FF_SPAWN_SOURCES and FF_API_SOURCES"
compile "${sources[@]/#/$root/src/}" "$root/test/unit/start-threads.c"
"$cc" "${with[@]}" -pthread -o "$work/start-threads" "$work"/*.o ||
	fail "does not link"

# Whatever a tool has to say is a failure.
case $kind in
address)
	export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
	expect 0 "$work/start-threads" 40
	;;
thread)
	export TSAN_OPTIONS=halt_on_error=1:exitcode=66
	expect 0 "$work/start-threads" 40
	;;
memcheck)
	expect 0 valgrind -q --error-exitcode=9 --child-silent-after-fork=yes \
		--leak-check=full --errors-for-leak-kinds=definite,possible \
		"$work/start-threads" 1
	;;
esac

finish
