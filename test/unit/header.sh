#!/bin/bash
# The public header alone, in every dialect of the compilers that are there,
# with no macro defined and no warning let through; and linked from C++.
. "$(dirname "$0")/lib.sh"

printf '#include "flatfork/flatfork.h"\nint main(void) { return 0; }\n' \
	>"$work/main.c"
cat >"$work/main.cpp" <<'EOF'
#include "flatfork/flatfork.h"

int main()
{
	struct flatfork_spawn *how = flatfork_spawn_new();
	flatfork_error error;

	flatfork_spawn_free(how);
	return flatfork_start(0, 0, 0, 0, 0, &error) == 0;
}
EOF
strict=(-pedantic-errors -Wall -Wextra -Wconversion -Werror "-I$root/include")
tried=0

# try COMPILER STANDARD FILE
try() {
	command -v "$1" >"$work/which" || return
	echo "int x;" >"$work/x.${3##*.}"
	"$1" "-std=$2" -fsyntax-only "$work/x.${3##*.}" 2>"$work/err" || return
	tried=$((tried + 1))
	expect 0 "$1" "-std=$2" "${strict[@]}" -fsyntax-only "$work/$3"
	silent err
}

for compiler in cc gcc clang; do
	for standard in c99 c11 c17 c2x gnu99 gnu17; do
		try $compiler $standard main.c
	done
	try $compiler c99 main.c
done
for compiler in c++ g++ clang++; do
	for standard in c++98 c++11 c++20 gnu++17; do
		try $compiler $standard main.cpp
	done
done
[ "$tried" -gt 0 ] || skip "no compiler"
if command -v c++ >"$work/which"; then
	expect 0 c++ "${strict[@]}" "$work/main.cpp" -o "$work/main" \
		"$FF_BUILD"/libflatfork.so -Wl,-rpath,"$FF_BUILD"
	expect 0 "$work/main"
fi
finish
