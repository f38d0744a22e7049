#!/bin/bash
# Packages of another Debian, unpacked and not installed:
#
#	debs.sh RELEASE DIRECTORY PACKAGE...
#
# Unpacks them below DIRECTORY/RELEASE, unless they are there, and prints that
# path. Exit 77 and a reason where they are not to be had.
set -u

release=$1
directory=$2
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
keys=/usr/share/keyrings/debian-archive-keyring.gpg

skip() {
	echo "SKIPPED: $*"
	exit 77
}

# An apt of its own beside the machine's, with that one's way to the archive.
apt() {
	local command=$1
	shift
	timeout 200 "$command" -q -o Dir::State="$tmp/state" \
		-o Dir::State::status="$tmp/status" \
		-o Dir::Cache="$tmp/cache" \
		-o Dir::Etc::SourceList="$tmp/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o APT::Architectures=amd64 "$@" >"$tmp/log" 2>&1 </dev/null
}

mkdir -p "$directory" || exit 1
exec 9>"$directory/$release.lock"
flock 9
missing=()
for package in "$@"; do
	[ -e "$directory/$release/.has/$package" ] || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
	for tool in apt-get dpkg-deb; do
		command -v $tool >/dev/null || skip "there is no $tool"
	done
	[ -e "$keys" ] || skip "$keys is missing (debian-archive-keyring)"
	tmp=$(mktemp -d "$directory/fetch.XXXXXX") || exit 1
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp" # apt's own user looks into it
	mkdir -p "$tmp"/{state/lists,cache/archives,debs}
	mkdir -p "$tmp"/{state/lists,cache/archives}/partial
	: >"$tmp/status"
	echo "deb [signed-by=$keys] $(bash "$here/../mirror.sh") $release main" \
		>"$tmp/sources.list"
	apt apt-get update && cd "$tmp/debs" &&
		apt apt-get download "${missing[@]}" ||
		skip "${missing[*]} of $release: $(tail -n 1 "$tmp/log")"
	mkdir -p "$directory/$release/.has" || exit 1
	for deb in ./*.deb; do
		# links to folders, as /lib is one, stay what they are
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x --keep-directory-symlink \
				-C "$directory/$release" ||
			exit 1
	done
	for package in "${missing[@]}"; do
		: >"$directory/$release/.has/$package"
	done
fi
echo "$directory/$release"
