#!/bin/bash
# Debian's cloud kernel of the series SERIES, without installing it:
#
# vmlinuz.sh SERIES DIRECTORY
#
# Unpacks /boot/vmlinuz-* of the package into DIRECTORY, unless it is there,
# and prints its path. Exit 77 and a reason where none is to be had.
set -u

series=$1
directory=$2

skip() {
	echo "skipped: $*"
	exit 77
}

cached() {
	find "$directory" -maxdepth 1 -name "vmlinuz-$series.*" -print -quit
}

mkdir -p "$directory" || exit 1
path=$(cached)
if [ -z "$path" ]; then
	tmp=$(mktemp -d "$directory/fetch.XXXXXX") || exit 1
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp" # apt's own user looks into it
	cd "$tmp" || exit 1
	for tool in apt-cache apt-get dpkg-deb; do
		command -v $tool >/dev/null || skip "there is no $tool"
	done
	package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		awk '/Depends: linux-image-/ { print $2; exit }')
	[ -n "$package" ] || skip "the archive has no linux-image-cloud-amd64"
	[[ $package == linux-image-$series.* ]] ||
		skip "the archive's cloud kernel is $package, not $series"
	timeout 100 apt-get -q download "$package" >log 2>&1 </dev/null ||
		skip "$package can't be downloaded: $(tail -n 1 log)"
	dpkg-deb --fsys-tarfile ./*.deb |
		tar -x --wildcards './boot/vmlinuz-*' || exit 1
	# In one step: a run that is killed here leaves nothing that looks good.
	mv boot/vmlinuz-* "$directory/" || exit 1
	path=$(cached)
fi
[ -n "$path" ] || skip "$package holds no vmlinuz-$series.*"
echo "$path"
