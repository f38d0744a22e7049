#!/bin/bash
# The interposer, built with a sanitizer and preloaded into programs that know
# nothing of it: undefined | address. Undefined behaviour traps, which needs no
# runtime; AddressSanitizer's is preloaded as well, in every way. What runs
# in borrowed memory is compiled as it is shipped.
. "$(dirname "$0")/lib.sh"

kind=${1:?undefined or address}
programs=(spawn-forms spawn-attributes "spawn-signals masks"
	"spawn-signals handler" "spawn-signals cancel" spawn-threads)
options=()
case $kind in
undefined)
	with=(-DFLATFORK_UBSAN_TRAP=ON)
	programs+=(spawn-errors spawn-in-child)
	;;
address)
	# not among them is a program that limits its memory
	with=(-DCMAKE_C_FLAGS=-fsanitize=address)
	options=(-p libasan.so.8 -e
		ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0)
	ldconfig -p | grep -q 'libasan\.so\.8 ' ||
		skip "there is no libasan.so.8"
	;;
esac

# A program's child may be another user, who has the same to preload.
chmod 755 "$work"
mkdir -p "$work/build/test"
ln -s "$FF_BUILD/test/prog" "$work/build/test/prog"
cmake -S "$root" -B "$work/build" -DBUILD_TESTING=OFF "${with[@]}" \
	>"$work/out" 2>&1 || skip "cmake: $(tail -n 1 "$work/out")"
expect 0 cmake --build "$work/build" -j 2 --target flatfork-preload
for program in "${programs[@]}"; do
	read -ra words <<<"$program"
	expect 0 env FF_BUILD="$work/build" "$root/test/prog/threeways.sh" \
		-t 100 "${options[@]}" "$FF_BUILD/test/prog/${words[0]}" \
		"${words[@]:1}"
done
finish
