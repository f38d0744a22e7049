#!/bin/bash
# flatfork enable, disable and status --system: of an image, and of this machine
# with an /etc of its own, seen by nobody else.
# shellcheck disable=SC2016 # inner shells expand those
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip "only root may"

# An image whose command and object are where they would be installed.
image=$work/image
mkdir -p "$image/etc" "$image/usr/bin" "$image/usr/lib"
chmod 755 "$work"
cp "$flatfork" "$image/usr/bin" && cp "$object" "$image/usr/lib"
command=$image/usr/bin/flatfork
list=$image/etc/ld.so.preload
ours=/usr/lib/libflatfork-preload.so
of_image=(--system --root "$image")

# list_is TEXT: to the byte; "none": there is no list
list_is() {
	if [ "$1" = none ]; then
		[ ! -e "$list" ] || fail "there is a list: $(cat "$list")"
	else
		[ "$(cat "$list"; echo .)" = "$1"$'\n.' ] ||
			fail "the list is: $(cat "$list")"
	fi
	[ "$(find "$image/etc" -type f | wc -l)" -le 1 ] ||
		fail "more files: $(ls "$image/etc")"
}

expect 1 "$command" status "${of_image[@]}"
says out 'not enabled'
expect 0 "$command" disable "${of_image[@]}"
list_is none
expect 0 "$command" enable "${of_image[@]}"
list_is "$ours"
says out "back: flatfork disable --system"
[ "$(stat -c %a "$list")" = 644 ] || fail "mode $(stat -c %a "$list")"
expect 0 "$command" status "${of_image[@]}"
says out "$ours"
expect 0 "$command" enable "${of_image[@]}"
says out 'enabled already'
list_is "$ours"
expect 0 "$command" disable "${of_image[@]}"
list_is none

# However the folder is written, what is listed is a path in it; and one whose
# name only begins so is another.
ln -s image "$work/link"
for root in "$image/" "$image/." "$image//" "$work/link" "$work/./image"; do
	expect 0 "$command" enable --system --root "$root"
	list_is "$ours"
	expect 0 "$command" disable --system --root "$root"
	list_is none
done
mkdir -p "$work/im/etc"
expect 125 "$command" enable --system --root "$work/im"
[ ! -e "$work/im/etc/ld.so.preload" ] ||
	fail "of another folder: $(cat "$work/im/etc/ld.so.preload")"

# What others have there stays, and its permissions.
for other in '/lib/a.so' $'# words: /x/libflatfork-preload.so\n/lib/a.so /lib/b.so'; do
	printf '%s\n' "$other" >"$list"
	chmod 600 "$list"
	expect 0 "$command" enable "${of_image[@]}"
	list_is "$other"$'\n'"$ours"
	[ "$(stat -c %a "$list")" = 600 ] || fail "the mode has changed"
	expect 0 "$command" disable "${of_image[@]}"
	list_is "$other"
done
printf '/lib/a.so:%s /lib/b.so\n' /old/libflatfork-preload.so >"$list"
expect 1 "$command" status "${of_image[@]}"
says out "which can't be read"
expect 0 "$command" disable "${of_image[@]}"
list_is '/lib/a.so: /lib/b.so'
rm "$list"

# Beside an object for programs of 32 bits: ld.so chooses.
for kind in x86_64 i386; do
	mkdir "$image/usr/lib/$kind-linux-gnu"
	cp "$object" "$image/usr/lib/$kind-linux-gnu"
done
cp "$flatfork" "$image/usr/lib/x86_64-linux-gnu"
both=$image/usr/lib/x86_64-linux-gnu/flatfork
expect 0 "$both" enable "${of_image[@]}"
list_is '/usr/$LIB/libflatfork-preload.so'
expect 0 "$both" status "${of_image[@]}"
says out '/usr/$LIB/libflatfork-preload.so'
silent err
rm "$image/usr/lib/x86_64-linux-gnu/libflatfork-preload.so"
expect 1 "$both" status "${of_image[@]}"
cp "$object" "$image/usr/lib/x86_64-linux-gnu"
expect 0 "$both" disable "${of_image[@]}"
list_is none
rm "$image/usr/lib/i386-linux-gnu/libflatfork-preload.so"
expect 0 "$both" enable "${of_image[@]}"
list_is /usr/lib/x86_64-linux-gnu/libflatfork-preload.so
expect 0 "$both" disable "${of_image[@]}"

# A link is not replaced, and none is followed out of an image.
echo /lib/a.so >"$work/kept"
ln -s "$work/kept" "$list"
for what in enable disable status; do
	expect 125 "$command" $what "${of_image[@]}"
	says err 'ld.so.preload: is a link'
done
[ -L "$list" ] && [ "$(cat "$work/kept")" = /lib/a.so ] || fail "a link is changed"
rm "$list" "$work/kept"
mkdir "$work/elsewhere"
mv "$image/etc" "$image/etc.kept"
ln -s "$work/elsewhere" "$image/etc"
expect 125 "$command" enable "${of_image[@]}"
says err "leads out of $image: to $work/elsewhere"
rmdir "$work/elsewhere" || fail "written elsewhere: $(ls "$work/elsewhere")"
rm "$image/etc"
mkdir "$image/usr/etc"
ln -s usr/etc "$image/etc"
expect 0 "$command" enable "${of_image[@]}"
expect 0 "$command" disable "${of_image[@]}"
rm "$image/etc"
mv "$image/etc.kept" "$image/etc"

# What could not be written again as it was stays.
mkfifo "$list"
expect 125 timeout 20 "$command" enable "${of_image[@]}"
says err 'ld.so.preload: is not a file'
rm "$list"
printf '/lib/a.so\n\0\n/lib/b.so\n' >"$list"
before=$(cksum <"$list")
for what in enable disable; do
	expect 125 "$command" $what "${of_image[@]}"
	says err 'ld.so.preload: is not a text: it has a byte 0'
done
[ "$(cksum <"$list")" = "$before" ] || fail "bytes are lost"

# Some at once, and one that is killed at any step, leave what they found or
# what they were to make, and others as they were.
echo /lib/a.so >"$list"
for i in 1 2 3 4 5; do
	"$command" enable "${of_image[@]}" >/dev/null &
	"$command" disable "${of_image[@]}" >/dev/null &
	"$command" enable "${of_image[@]}" >/dev/null &
	wait
	[ "$(grep -c a.so "$list")" = 1 ] && [ "$(grep -c . "$list")" -le 2 ] ||
		fail "at once: $(cat "$list")"
done
if command -v strace >/dev/null && strace -q -o /dev/null true 2>/dev/null; then
	for call in fchmod write fsync rename; do
		printf '/lib/a.so\n' >"$list"
		{
			strace -q -o /dev/null -e trace=$call \
				-e inject=$call:signal=KILL:when=1 \
				"$command" enable "${of_image[@]}"
		} >/dev/null 2>&1
		case $(paste -sd' ' "$list") in
		/lib/a.so | "/lib/a.so $ours") ;;
		*) fail "killed at $call: $(cat "$list")" ;;
		esac
		expect 0 "$command" enable "${of_image[@]}"
		list_is "/lib/a.so"$'\n'"$ours"
		expect 0 "$command" disable "${of_image[@]}"
		list_is /lib/a.so
	done
fi
rm "$list"

# Whoever can change the object, or a folder above it, has every program.
for what in "$image/usr/lib/libflatfork-preload.so" "$image/usr"; do
	chmod g+w "$what"
	expect 125 "$command" enable "${of_image[@]}"
	says err "can be changed by others than root"
	list_is none
	chmod g-w "$what"
done
# One that does not load is noticed before it is written.
echo nonsense >"$image/usr/lib/libflatfork-preload.so"
expect 125 "$command" enable "${of_image[@]}"
says err 'tried: /bin/true: '
list_is none
cp "$object" "$image/usr/lib"

expect 125 "$command" enable
says err 'what? enable --system'
expect 125 "$command" enable --system now
expect 125 "$command" disable --system --root here
says err "--root: 'here' is not an absolute path: /mnt/image"
expect 125 "$command" enable --system --root=
says err '--root wants a value: FOLDER'
mkdir "$work/empty"
expect 125 "$command" enable --system --root "$work/empty"
list_is none

# This machine's, with an /etc and an object's folder of one's own.
cat >"$work/inside" <<'END'
set -e
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mkdir -p /mnt/local/bin /mnt/local/lib
cp "$1" /mnt/local/bin/flatfork
cp "$2" /mnt/local/lib/libflatfork-preload.so
mount --bind /mnt/etc /etc
mount --bind /mnt/local /usr/local
unset LD_PRELOAD
rm -f /etc/ld.so.preload
/usr/local/bin/flatfork enable --system >/dev/null
grep -q libflatfork-preload /proc/self/maps && echo loaded
/usr/local/bin/flatfork status --system
/usr/local/bin/flatfork disable --system
grep -q libflatfork-preload /proc/self/maps || echo not loaded
# An object that works until it is in the list; one that is told to end while
# it is tried; a list that was empty.
: >/etc/ld.so.preload
cp "$4" /usr/local/lib/libflatfork-preload.so
/usr/local/bin/flatfork enable --system >/dev/null && echo unknown
echo "ended: $? $(wc -c </etc/ld.so.preload)"
echo '# mine' >/etc/ld.so.preload
cp "$3" /usr/local/lib/libflatfork-preload.so
/usr/local/bin/flatfork enable --system || echo "not enabled: $?"
cat /etc/ld.so.preload
END
cc -shared -fPIC -o "$work/kills.so" -x c - <<'END' || fail "no object"
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void load(void)
{
	if (!getenv("LD_PRELOAD")) {
		kill(getppid(), SIGTERM);
		_exit(9);
	}
}
END
cc -shared -fPIC -o "$work/bad.so" -x c - <<'END' || fail "no object"
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void load(void)
{
	if (!getenv("LD_PRELOAD"))
		_exit(9);
}
END
if unshare -m --propagation private true 2>/dev/null; then
	unshare -m --propagation private bash "$work/inside" "$flatfork" \
		"$object" "$work/bad.so" "$work/kills.so" >"$work/out" 2>"$work/err"
	if [ "$(cat "$work/out")" != "loaded
/etc/ld.so.preload: /usr/local/lib/libflatfork-preload.so
/etc/ld.so.preload: disabled
not loaded
ended: 143 0
not enabled: 125
# mine" ]; then
		grep -qE 'mount.*(denied|permitted)' "$work/err" ||
			fail "in a namespace: $(cat "$work/out" "$work/err")"
	else
		says err '/etc/ld.so.preload is as it was'
	fi
fi

finish
