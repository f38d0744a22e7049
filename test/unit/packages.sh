#!/bin/bash
# Debian packages: what is in which, for the multiarch folders; installed into a
# folder they work there, by path, by bare name and by $LIB, and are removed
# without a trace.
# shellcheck disable=SC2016 # ld.so and inner shells expand those
. "$(dirname "$0")/lib.sh"

for need in cpack dpkg dpkg-deb; do
	command -v $need >/dev/null || skip "$need is not installed"
done
[ "$(id -u)" -eq 0 ] || skip "dpkg installs as root only"
command -v ccache >/dev/null && export CMAKE_C_COMPILER_LAUNCHER=ccache
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null) ||
	triplet=x86_64-linux-gnu

expect 0 cmake -S "$root" -B "$work/build" -DBUILD_TESTING=OFF \
	-DCMAKE_INSTALL_PREFIX=/usr
expect 0 cmake --build "$work/build" -j2
# From anywhere, into the build's folder and nowhere else.
mkdir "$work/here" "$work/debs" && cd "$work/here" || exit 1
expect 0 cpack --config "$work/build/CPackConfig.cmake"
find "$work/here" -mindepth 1 | grep . && fail "cpack left these where it was called"
mv "$work/build"/*.deb "$work/debs"
[ "$failures" -eq 0 ] || finish

# of NAME: its file
of() {
	find "$work/debs" -maxdepth 1 -name "$1_*.deb"
}
# has PACKAGE PATH...
has() {
	local package=$1 path
	shift
	dpkg-deb -c "$(of "$package")" | awk '{ print $6 }' |
		sed 's|^\./|/|' >"$work/list"
	for path; do
		grep -qxF "$path" "$work/list" || fail "$package: no $path"
	done
}
has flatfork /usr/bin/flatfork "/usr/lib/$triplet/libflatfork-preload.so" \
	/usr/share/man/man1/flatfork.1 /usr/share/man/man7/flatfork.7 \
	/usr/share/man/man5/flatfork.conf.5 /usr/share/doc/flatfork/copyright \
	/usr/share/bash-completion/completions/flatfork
# For programs of 32 bits, where the compiler makes such.
if [ -e "$work/build/i386/libflatfork-preload.so" ]; then
	has flatfork /usr/lib/i386-linux-gnu/libflatfork-preload.so
fi
has libflatfork0 "/usr/lib/$triplet/libflatfork.so.0"
grep -vE '/$|/libflatfork\.so\.0|copyright$' "$work/list" &&
	fail "libflatfork0 has more"
has libflatfork-dev /usr/include/flatfork/flatfork.h \
	"/usr/lib/$triplet/libflatfork.so" "/usr/lib/$triplet/libflatfork.a" \
	"/usr/lib/$triplet/pkgconfig/flatfork.pc" \
	/usr/share/man/man3/flatfork_start.3
dpkg-deb -f "$(of libflatfork-dev)" Depends >"$work/out"
says out 'libflatfork0 (= '
for package in flatfork libflatfork0 libflatfork-dev; do
	for field in Package Version Architecture Maintainer Description; do
		[ -n "$(dpkg-deb -f "$(of $package)" $field)" ] ||
			fail "$package: no $field"
	done
	dpkg-deb -f "$(of $package)" Description >"$work/out"
	[ -z "$(sed 's/^ *//' "$work/out" | sort | uniq -d)" ] ||
		fail "$package describes itself twice: $(cat "$work/out")"
done

# Installed into a folder, with a data base of its own. The scripts of the
# packages, which call ldconfig, run outside of it.
there=$work/root
mkdir -p "$there/var/lib/dpkg/"{info,updates,triggers}
: >"$there/var/lib/dpkg/status"
dpkg_there() {
	expect 0 dpkg --root="$there" --force-depends \
		--force-script-chrootless --log=/dev/null "$@"
}
dpkg_there -i "$work"/debs/*.deb
libs=$there/usr/lib/$triplet
[ -e "$libs/libflatfork-preload.so" ] || finish
expect 0 "$there/usr/bin/flatfork" run -- sh -c 'echo "$LD_PRELOAD"'
says out "$libs/libflatfork-preload.so"
silent err
# loads COMMAND...: the object is in that process, and nothing is complained of
loads() {
	expect 0 "$@" grep -m1 libflatfork-preload /proc/self/maps
	says out "$libs/libflatfork-preload.so"
	silent err
}
loads env LD_LIBRARY_PATH="$libs" LD_PRELOAD=libflatfork-preload.so
loads env LD_PRELOAD="$there/usr/\$LIB/libflatfork-preload.so"
echo 'int main(void) { return flatfork_start == 0; }' >"$work/user.c"
expect 0 cc -include "$there/usr/include/flatfork/flatfork.h" "$work/user.c" \
	-o "$work/user" -L"$libs" -lflatfork
expect 0 env LD_LIBRARY_PATH="$libs" "$work/user"

# What every program loads names it until it is removed, not only replaced.
mkdir -p "$there/etc"
printf '/usr/$LIB/libflatfork-preload.so\n/other.so\n' >"$there/etc/ld.so.preload"
dpkg_there -i "$work"/debs/*.deb
cp "$there/etc/ld.so.preload" "$work/out"
says out '/usr/$LIB/libflatfork-preload.so'
# A list that can't be changed keeps the package, which says so.
mv "$there/etc/ld.so.preload" "$there/etc/list"
ln -s list "$there/etc/ld.so.preload"
expect 1 dpkg --root="$there" --force-depends --force-script-chrootless \
	--log=/dev/null -r flatfork
says err 'take that out first'
[ -e "$libs/libflatfork-preload.so" ] || fail "removed from under the list"
mv "$there/etc/list" "$there/etc/ld.so.preload"
dpkg_there -r flatfork libflatfork0 libflatfork-dev
[ "$(cat "$there/etc/ld.so.preload")" = /other.so ] ||
	fail "ld.so.preload, removed: $(cat "$there/etc/ld.so.preload")"
rm "$there/etc/ld.so.preload"
find "$there/usr" "$there/etc" -not -type d 2>/dev/null | grep . &&
	fail "removed, and left behind"
find "$there/usr" -name '*flatfork*' 2>/dev/null | grep . &&
	fail "folders left behind"

# Where nothing can look for it, the libc that is here is what is needed.
mkdir "$work/plain"
expect 0 cmake -S "$root" -B "$work/build" -DFF_FILE=OFF
expect 0 cpack --config "$work/build/CPackConfig.cmake" -B "$work/plain"
# depends FILE EXPRESSION: what it is said to depend on
depends() {
	dpkg-deb -f "$1" Depends >"$work/out"
	grep -qE "$2" "$work/out" || fail "$1 depends on: $(cat "$work/out")"
}
libc='libc6 \(>= 2\.[0-9]+\)'
depends "$work"/plain/flatfork_*.deb "^$libc, libjansson4, libsmartcols1\$"
depends "$work"/plain/libflatfork0_*.deb "^$libc\$"
depends "$(of flatfork)" 'libjansson4.*libsmartcols1'
depends "$(of libflatfork0)" "^$libc\$"

finish
