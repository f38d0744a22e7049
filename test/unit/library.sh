#!/bin/bash
# libflatfork exports what its header declares, each of it and nothing else:
# no name of libc's. Installed, it is found by pkg-config and by CMake.
. "$(dirname "$0")/lib.sh"

header=$root/include/flatfork/flatfork.h
grep -oE '\bflatfork_(spawn_[a-z0-9_]+|start)\(' "$header" | tr -d '(' |
	sort -u >"$work/declared"
nm -D --defined-only "$FF_BUILD/libflatfork.so.0" |
	awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/have"
diff -u "$work/declared" "$work/have" ||
	fail "declared (-) and exported (+) differ"
nm -D --defined-only "$FF_BUILD/libflatfork.so.0" |
	awk '{ print $3 }' | grep -vE '^(flatfork_|FLATFORK_0)' &&
	fail "exports more than its own"
nm --defined-only "$FF_BUILD/libflatfork.a" |
	awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' |
	grep -vE '^(flatfork|ff)_' && fail "libflatfork.a defines other names"
readelf -d "$FF_BUILD/libflatfork.so.0" | grep -q 'SONAME.*libflatfork\.so\.0' ||
	fail "no SONAME"

readelf -d "$FF_BUILD/libflatfork.so.0" | grep '(NEEDED)' |
	grep -v '\[libc\.so\.6\]$' && fail "needs more than libc"

# The command's libraries are needed for the command alone.
command -v ccache >/dev/null && export CMAKE_C_COMPILER_LAUNCHER=ccache
without=(-DFF_JANSSON=OFF -DFF_SMARTCOLS=OFF)
for option in "${without[@]}"; do
	name=${option#-DFF_}
	name=${name%=OFF}
	expect 1 cmake -S "$root" -B "$work/no" -DBUILD_TESTING=OFF "$option"
	says err "lib${name,,}-dev"
	says err '-DFLATFORK_COMMAND=OFF'
	rm -r "$work/no"
done
expect 0 cmake -S "$root" -B "$work/no" -DBUILD_TESTING=OFF \
	-DFLATFORK_COMMAND=OFF "${without[@]}"
expect 1 cmake -S "$root" -B "$work/no" -DBUILD_TESTING=ON
says err 'The tests need the command'

# The child calls nothing that is not ours: not even what compilers add.
mkdir "$work/child" && cd "$work/child" &&
	ar x "$FF_BUILD/libflatfork.a" child.c.o files.c.o search.c.o
nm -u ./*.o | awk 'NF == 2 { print $2 }' |
	grep -vE '^(ff_sys|ff_child_[a-z_]+|__gcov_.*)$' &&
	fail "the child calls others"

prefix=$work/prefix
expect 0 cmake --install "$FF_BUILD" --prefix "$prefix"
mkdir "$work/user"
cat >"$work/user/main.c" <<'END'
#include <flatfork/flatfork.h>
#include <sys/wait.h>
int main(void)
{
	struct flatfork_child child;
	char *argv[] = { "true", 0 };
	return flatfork_start(0, "/bin/true", argv, argv + 1, &child, 0) ||
	       waitpid(child.pid, 0, 0) != child.pid;
}
END
cat >"$work/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(flatfork 0.1 REQUIRED)
add_executable(a main.c)
target_link_libraries(a PRIVATE flatfork::flatfork)
add_executable(b main.c)
target_link_libraries(b PRIVATE flatfork::static)
END
expect 0 cmake -S "$work/user" -B "$work/user/build" \
	-DCMAKE_PREFIX_PATH="$prefix"
expect 0 cmake --build "$work/user/build"
expect 0 "$work/user/build/a"
expect 0 "$work/user/build/b"

# The same program, with this tree as a part of its build: no test is added, and
# nothing but the library is built for it.
mkdir "$work/outer"
cp "$work/user/main.c" "$work/outer"
cat >"$work/outer/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(outer LANGUAGES C)
include(CTest)
add_subdirectory("$root" flatfork EXCLUDE_FROM_ALL)
add_executable(a main.c)
target_link_libraries(a PRIVATE flatfork::flatfork)
END
expect 0 cmake -S "$work/outer" -B "$work/outer/build" "${without[@]}"
expect 0 cmake --build "$work/outer/build"
expect 0 "$work/outer/build/a"
[ ! -e "$work/outer/build/flatfork/flatfork" ] || fail "more was built"
expect 0 ctest --test-dir "$work/outer/build" -N
says out 'Total Tests: 0'

pc=$(find "$prefix" -name flatfork.pc)
[ -n "$pc" ] || fail "no flatfork.pc"
if command -v pkg-config >/dev/null && [ -n "$pc" ]; then
	flags=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --define-prefix \
		--cflags --libs flatfork)
	# shellcheck disable=SC2086 # flags are words
	expect 0 cc "$work/user/main.c" -o "$work/user/c" $flags
	expect 0 env LD_LIBRARY_PATH="${pc%/pkgconfig/*}" "$work/user/c"
fi

finish
