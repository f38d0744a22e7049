#!/usr/bin/env bash
# From nothing to the main job on a fresh Debian machine, as root or with sudo:
# installs what is missing, builds into build/, then runs an unmodified perl
# with 4 GiB of touched heap that starts 220 children, plain and under
# flatfork, and ends with a table of times per child. Beside them: what the
# same child costs a perl of 1 MiB, plain, where there is nothing to copy.
#
# FLATFORK_QUICKSTART_MIB sets the size of the heap, FF_BUILD the folder to
# build in.
# Exit: 0 when the results are the same, 1 when they differ or a step failed.
# The times decide nothing.
set -u

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
build=$(realpath -m -- "${FF_BUILD:-$root/build}")
packages=(cmake gcc libc6-dev libjansson-dev libsmartcols-dev make
	perl)

fail() {
	echo "quickstart: $*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# It may ask for a password.
must_install() {
	[ "$(id -u)" -eq 0 ] && return
	command -v sudo >/dev/null ||
		fail "needs root or sudo to install: $*"
	{ sudo -v && sudo -l env >/dev/null; } ||
		fail "sudo refuses $(id -un), to install: $*"
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = \
		installed ]
}

install_missing() {
	local missing=() package

	for package in "${packages[@]}"; do
		installed "$package" || missing+=("$package")
	done
	[ "${#missing[@]}" -eq 0 ] && return
	echo "installing ${missing[*]}"
	must_install "${missing[@]}"
	local get=(env DEBIAN_FRONTEND=noninteractive
		apt-get -q -y -o DPkg::Lock::Timeout=300)
	# Lists may be old, and still good enough: install has the last word.
	as_root "${get[@]}" update || echo "quickstart: apt-get update failed" >&2
	as_root "${get[@]}" install --no-install-recommends "${missing[@]}" ||
		fail "apt-get install ${missing[*]} failed"
}

# The build keeps its log to itself unless it fails.
quietly() {
	"$@" >"$work/log" 2>&1 && return
	cat "$work/log" >&2
	fail "$* failed"
}

choose_mib() {
	local available want=4096

	if [ -n "${FLATFORK_QUICKSTART_MIB:-}" ]; then
		[[ $FLATFORK_QUICKSTART_MIB =~ ^[1-9][0-9]*$ ]] ||
			fail "FLATFORK_QUICKSTART_MIB is not a number of MiB:" \
				"$FLATFORK_QUICKSTART_MIB"
		mib=$FLATFORK_QUICKSTART_MIB
		return
	fi
	available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' \
		/proc/meminfo)
	mib=$want
	if [ "$available" -lt $((want + want / 4)) ]; then
		mib=$((available * 6 / 10))
		[ "$mib" -ge 64 ] || fail "only $available MiB available"
		echo "only $available MiB of memory available:" \
			"a heap of $mib MiB instead of $want MiB"
	fi
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mib=

choose_mib
[[ $build != *[\ :]* ]] ||
	fail "$build: LD_PRELOAD can't hold a path with a space or a colon;" \
		"FF_BUILD=FOLDER names another"
{ mkdir -p "$build" && [ -w "$build" ]; } 2>/dev/null ||
	fail "$build can't be written; FF_BUILD=FOLDER names another"
install_missing
echo "building into $build"
quietly cmake -S "$root" -B "$build" -DBUILD_TESTING=OFF
quietly cmake --build "$build" -j "$(nproc)"

# A preload set by the caller would make "plain" mean something else.
unset LD_PRELOAD "${!FLATFORK@}"

job=(perl "$root/examples/mainjob.pl" "$mib")
echo "perl with $mib MiB of heap: 100 system, 100 backticks, 20 pipe opens"
echo "plain ..."
"${job[@]}" "$work/plain.times" >"$work/plain.out"
plain_status=$?
echo "under flatfork ..."
"$build/flatfork" run --stats "$work/stats" -- \
	"${job[@]}" "$work/flatfork.times" >"$work/flatfork.out"
flatfork_status=$?

echo "small, plain ..."
perl "$root/examples/mainjob.pl" 1 "$work/small.times" >"$work/small.out" ||
	fail "small: perl's status is $?"

[ "$plain_status" -eq 0 ] || fail "plain: perl's status is $plain_status"
[ "$flatfork_status" -eq 0 ] ||
	fail "under flatfork: perl's status is $flatfork_status"
if ! diff "$work/plain.out" "$work/flatfork.out"; then
	fail "the results differ"
fi
echo "results: $(wc -l <"$work/plain.out") lines, identical"
"$build/flatfork" report "$work/stats" || fail "no report"
perl "$root/examples/compare.pl" "$work/plain.times" "$work/flatfork.times" \
	"$work/small.times" ||
	fail "no table"
