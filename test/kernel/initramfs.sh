#!/bin/bash
# A small system for the guest: this machine's own programs and libraries
# where they are here, what the build made in /build, the test in /test.
#
# initramfs.sh CHECKS OUTPUT      with FF_BUILD set
set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd) || exit 1
: "${FF_BUILD:?the build directory}"
checks=$1
output=$2
root=$(mktemp -d) || exit 1
# the root of a machine, to others than root as well
chmod 755 "$root"
trap 'rm -rf "$root"' EXIT

# What init, threeways.sh, the programs of checks.sh and the scripts call.
tools=(bash dash find gawk sh mkdir mount setsid sleep
	cat chmod cmp diff env grep head ln mktemp rm sed timeout
	echo true perl ls wc flock
	awk dirname mkfifo mv rmdir sort tail)

# libraries FILE...: what they are linked to.
libraries() {
	ldd "$@" 2>/dev/null | grep '^[[:space:]]' | grep -o '/[^ ]*' | sort -u
}

for name in /bin /sbin /lib /lib64; do
	if [ -L $name ]; then
		mkdir -p "$root/$(readlink $name)"
		ln -s "$(readlink $name)" "$root$name" || exit 1
	fi
done
mkdir -p "$root"/{dev,proc,sys,tmp,build,test} || exit 1

cd "$FF_BUILD" || exit 1
built=(flatfork libflatfork-preload.so test/prog/report
	test/prog/fenced-{memory,calls,locks,ends,objects}
	test/prog/libprog-fenced-object.so
	test/inject/spawn-inject test/inject/fork-inject test/fuzz/witness
	test/reach/under)
mapfile -t words < <(grep '^check ' "$checks" | tr ' ' '\n' | sort -u)
for name in "${words[@]}"; do
	[ -f "test/prog/$name" ] && built+=("test/prog/$name")
done
grep -q '^check .* script ' "$checks" &&
	built+=(test/ground/guest test/ground/heirs test/ground/keeps
		test/lowmem/hog test/bench/noop)
mapfile -t built < <(printf '%s\n' "${built[@]}" | sort -u)
cp --parents -t "$root/build" "${built[@]}" || exit 1

mapfile -t files < <(type -P "${tools[@]}" | sed 's|^/bin/|/usr/bin/|')
[ ${#files[@]} -eq ${#tools[@]} ] || exit 1
# shellcheck disable=SC2016 # it is perl
mapfile -t modules < <(perl -MTime::HiRes -Mstrict -Mwarnings -e '
	print "$_\n" for values %INC, @DynaLoader::dl_shared_objects' |
	sort -u)
files+=("${modules[@]}")
mapfile -t libs < <(libraries "${built[@]}" "${files[@]}")
files+=("${libs[@]}")
for lib in "${libs[@]}"; do
	case $lib in
	# loaded when a thread ends by pthread_exit or is cancelled
	*/libc.so.*) files+=("${lib%/*}/libgcc_s.so.1") ;;
	esac
done
mapfile -t files < <(printf '%s\n' "${files[@]}" | sort -u)
cp -L --parents -t "$root" "${files[@]}" || exit 1

cp "$here/init" "$root/" && chmod 755 "$root/init" || exit 1
cp "$checks" "$root/test/checks.sh" || exit 1
cp "$here/../ways.sh" \
	"$here/../../examples/mainjob.pl" "$here"/commands.* "$root/test/" ||
	exit 1
for room in prog ground lowmem; do
	mkdir "$root/test/$room" &&
		cp "$here/../$room"/*.sh "$root/test/$room/" || exit 1
done
mkdir "$root/test/reach" &&
	cp -r "$here/../reach/profiles" "$root/test/reach/" || exit 1
cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 >"$output"
