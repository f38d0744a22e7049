#!/bin/bash
# Debian's cloud kernel, without installing it:
#
# vmlinuz.sh SERIES DIRECTORY
#
# Of the series SERIES, as 6.1, or of any that the archive has. Unpacks it into
# DIRECTORY as vmlinuz-RELEASE, unless it is there, and prints its path. Exit 77
# and a reason where none is to be had.
set -u

series=$1
directory=$2
[ "$series" = any ] && series='[0-9]*'

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
	# shellcheck disable=SC2053 # a pattern
	[[ $package == linux-image-$series.* ]] ||
		skip "the archive's cloud kernel is $package, not $series"
	release=${package#linux-image-}
	# Since Linux 7 the image is in a package of its own.
	binary=linux-binary-$release
	[ -z "$(apt-cache show "$binary" 2>/dev/null)" ] || package=$binary
	timeout 100 apt-get -q download "$package" >log 2>&1 </dev/null ||
		skip "$package can't be downloaded: $(tail -n 1 log)"
	dpkg-deb --fsys-tarfile ./*.deb |
		tar -x --wildcards --transform="s|.*/|$release/|" \
			'./boot/vmlinuz-*' './usr/lib/modules/*/vmlinuz' \
			2>/dev/null
	found=("$release"/vmlinuz*)
	[ -e "${found[0]}" ] || skip "there is no vmlinuz in $package"
	# In one step: a run that is killed here leaves nothing that looks good.
	mv "${found[0]}" "$directory/vmlinuz-$release" || exit 1
	path=$(cached)
fi
echo "$path"
