#!/bin/bash
# Install what is missing, build, run every test, or those that the arguments,
# which are ctest's, choose. Works from any directory, as root or with sudo, on
# a fresh Debian machine; ends with ctest's summary and status. FF_BUILD names
# another build directory than build/; with FF_WERROR=1 warnings are errors.
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
build=$(realpath -m -- "${FF_BUILD:-$root/build}")
policy=/usr/sbin/policy-rc.d

die() {
	echo "test/run.sh: $*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -- "$@"
	fi
}

# The packages of test/packages/*.txt that are not installed, a line each.
missing_packages() {
	local name
	sed 's/#.*//' "$root"/test/packages/*.txt | awk '{ print $1 }' |
		grep . | sort -u |
		while read -r name; do
			# shellcheck disable=SC2016 # dpkg-query expands it
			[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" \
				2>/dev/null)" = installed ] || echo "$name"
		done
}

# Servers that get installed must not be started: policy-rc.d says so, and is
# afterwards what it was before, also after a run that was killed here.
forbid_services() {
	if [ -e "$policy" ] && [ ! -e "$policy.flatfork-saved" ]; then
		as_root mv "$policy" "$policy.flatfork-saved" || return
	fi
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null &&
		as_root chmod 755 "$policy"
}

allow_services() {
	trap - EXIT
	as_root rm -f "$policy"
	if [ -e "$policy.flatfork-saved" ]; then
		as_root mv "$policy.flatfork-saved" "$policy"
	fi
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

install_missing() {
	local missing
	mapfile -t missing < <(missing_packages)
	[ "${#missing[@]}" -gt 0 ] || return 0
	echo "installing: ${missing[*]}"
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
		die "needs root or sudo to install: ${missing[*]}"
	[ "$(id -u)" -eq 0 ] || { sudo -v && sudo -l env >/dev/null; } ||
		die "sudo refuses $(id -un), to install: ${missing[*]}"
	trap 'exit 1' HUP INT TERM
	trap allow_services EXIT
	forbid_services || die "$policy can't be written"
	# Lists may be old, and still good enough: install has the last word.
	apt_get update || echo "test/run.sh: apt-get update failed" >&2
	apt_get install --no-install-recommends "${missing[@]}" ||
		die "could not install: ${missing[*]}"
	allow_services
	trap - HUP INT TERM
}

[[ $build != *[\ :]* ]] ||
	die "$build: LD_PRELOAD can't hold a path with a space or a colon;" \
		"FF_BUILD=FOLDER names another"
{ mkdir -p "$build" && [ -w "$build" ]; } 2>/dev/null ||
	die "$build can't be written; FF_BUILD=FOLDER names another"
install_missing
werror=OFF
[ "${FF_WERROR:-0}" = 0 ] || werror=ON
cmake -S "$root" -B "$build" -DFLATFORK_WERROR=$werror -DBUILD_TESTING=ON ||
	die "cmake could not configure $build"
cmake --build "$build" -j2 || die "the build failed"
cd "$build" || exit 1
exec ctest --no-tests=error --output-on-failure -j2 "$@"
