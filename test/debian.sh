#!/bin/bash
# The whole suite in another Debian, that is with another libc, compiler and
# other programs: test/run.sh, in a tree of its own made by debootstrap.
#
#	test/debian.sh RELEASE [ARGUMENT OF CTEST...]
#
# RELEASE is bookworm, trixie, forky or sid. Needs root, debootstrap and room
# for about 4 GB. The tree, with what run.sh installs and the build in it
# (/build there), stays in debian/RELEASE in the build directory, or where
# FF_DEBIAN says, and is used again; without it the next run starts anew.
# FF_MIRROR names the archive, which is else the one that apt uses here.
# FF_WERROR and FF_TRACE are handed on, and nothing else of the environment.
#
# All mounts are made in a mount namespace, and all processes in a pid
# namespace: both end with this script, however it ends.
set -u

releases='bookworm trixie forky sid'
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
keys=/usr/share/keyrings/debian-archive-keyring.gpg
scripts=/usr/share/debootstrap/scripts

die() {
	echo "test/debian.sh: $*" >&2
	exit 1
}

# How apt reaches it: proxies and the like, as this machine's has it.
settings() {
	apt-config dump 2>/dev/null |
		grep -E '^Acquire::(Check-|Retries |https?::).* ".+";$'
}

# A value of apt's configuration, for debootstrap, which asks the environment.
setting() {
	apt-config shell value "$1" 2>/dev/null |
		sed -n "s/^value='\(.*\)'\$/\1/p"
}

bootstrap() {
	local script=$scripts/$release name proxy

	command -v debootstrap >/dev/null || die "debootstrap is not installed"
	[ -e "$keys" ] || die "$keys is missing (debian-archive-keyring)"
	# they are all made alike; this machine's may be older than forky
	[ -e "$script" ] || script=$scripts/sid
	for name in http https; do
		proxy=$(setting "Acquire::$name::Proxy")
		[ -z "$proxy" ] || [ "$proxy" = DIRECT ] ||
			export "${name}_proxy=$proxy"
	done
	echo "making $tree from $archive"
	rm -rf --one-file-system "$tree.new" || exit 1
	# what a package asks of the terminal has no answer
	debootstrap --variant=minbase --force-check-gpg --keyring="$keys" \
		"$release" "$tree.new" "$archive" "$script" \
		</dev/null >"$tree.log" 2>&1 || {
		tail -n 5 "$tree.log" >&2
		die "debootstrap could not make it, see $tree.log"
	}
	settings >"$tree.new/etc/apt/apt.conf.d/90host"
	printf '127.0.0.1\tlocalhost %s\n::1\tlocalhost\n' "$(uname -n)" \
		>"$tree.new/etc/hosts"
	mkdir "$tree.new/build" || exit 1
	# in one step: what a killed run leaves does not look good
	mv "$tree.new" "$tree" || exit 1
}

# A root that is no mount could not be made private by a test.
mounts() {
	mount --bind "$tree" "$tree" &&
		mount -t proc proc "$tree/proc" &&
		mount --rbind /sys "$tree/sys" &&
		mount --rbind /dev "$tree/dev"
}

# As they are now: what is edited during the run does not disturb it. Dates are
# kept, so that little is built anew.
copy_sources() {
	rm -rf --one-file-system "$tree/flatfork" && mkdir "$tree/flatfork" &&
		tar -C "$root" --exclude='./build*' --exclude=./.git -c . |
		tar -C "$tree/flatfork" --no-same-owner -x
}

# In the namespaces, as the first process, which reaps what is left behind.
inside() {
	[ -e "$tree" ] || bootstrap
	mounts || die "can't mount below $tree"
	copy_sources || die "the sources can't be copied"
	cat /etc/resolv.conf >"$tree/etc/resolv.conf" 2>/dev/null
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin \
		HOME=/root USER=root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
		FF_BUILD=/build FF_WERROR="${FF_WERROR-}" \
		${FF_TRACE:+FF_TRACE="$FF_TRACE"} \
		chroot "$tree" /flatfork/test/run.sh "$@"
	exit
}

[ $# -gt 0 ] || die "usage: test/debian.sh RELEASE [ARGUMENT OF CTEST...]"
release=$1
shift
[[ " $releases " == *" $release "* ]] ||
	die "$release is none of: $releases"
[ "$(id -u)" -eq 0 ] || die "needs root"
trees=${FF_DEBIAN:-${FF_BUILD:-$root/build}/debian}
mkdir -p "$trees" && trees=$(cd "$trees" && pwd) || exit 1
tree=$trees/$release
archive=$(bash "$root/test/mirror.sh")
if [ "${FF_INSIDE-}" = "$tree" ]; then
	inside "$@"
fi
exec 9>"$tree.lock"
flock -n 9 || die "$tree is in use"
# No terminal, so that the tests find the same everywhere; a shell's background
# has signals ignored, which the tests would inherit.
FF_INSIDE=$tree setsid env --default-signal=INT,QUIT setpriv --pdeathsig KILL \
	unshare --mount --propagation private --pid --fork --mount-proc \
	--kill-child=KILL -- bash "${BASH_SOURCE[0]}" "$release" "$@" \
	</dev/null 9>&- &
namespaces=$!
trap 'kill -KILL $namespaces; exit 1' HUP INT TERM
wait $namespaces
