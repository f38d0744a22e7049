#!/bin/bash
# The library on another kernel, or another CPU: boots it in an emulator, with
# a small system of this machine's programs, and looks at what the checks in
# there said. Called by ctest with FF_BUILD set.
#
#	kernel.sh CHECKS [SERIES]	a file of this folder: checks.sh,
#					keys.sh, counts.sh; of the kernel, as
#					6.1, else it is the archive's
#
# FF_DEADLINE: checks begin for so many seconds; 400 more, and it ends. Alone
# on two processors each file takes 2 to 3 minutes.
# One line per check. Exit 77 and a reason where kernel or emulator are
# missing, or the machine is too slow for all of it. A check that the guest
# skipped has failed: all it needs is there. FF_TRACE=1 adds the log of
# flatfork to what is printed of failed checks.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
: "${FF_BUILD:?the build directory}"
checks=$here/$1
series=${2:-any}
deadline_seconds=${FF_DEADLINE:-900}
watchdog_seconds=$((deadline_seconds + 400))
failures=0
late=0

skip() {
	echo "skipped: $*"
	exit 77
}

for tool in qemu-system-x86_64 cpio perl; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
vmlinuz=$(bash "$here/vmlinuz.sh" "$series" "$FF_BUILD/test/kernel")
status=$?
if [ $status -ne 0 ]; then
	echo "$vmlinuz"
	exit $status
fi
series=${vmlinuz##*/vmlinuz-}
series=$(cut -d. -f1,2 <<<"$series")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bash "$here/initramfs.sh" "$checks" "$work/initramfs" || exit 1

# Mitigations would protect nobody in there. timeout ends the emulator even
# where nobody is left to wait for it.
boot() {
	local words="console=ttyS0 quiet panic=-1 mitigations=off"
	words+=" FF_SERIES=$series FF_DEADLINE=$deadline_seconds"
	words+=" FF_TRACE=${FF_TRACE:-}"

	timeout -k 5 $watchdog_seconds qemu-system-x86_64 \
		-accel tcg -cpu max -smp 2 -m 1G \
		-nodefaults -no-user-config -no-reboot -display none \
		-serial "file:$work/console" -serial "file:$work/results" \
		-kernel "$vmlinuz" -initrd "$work/initramfs" \
		-append "$words"
}

finished() {
	grep -q '^finished$' "$work/said"
}

lane() {
	:
}

# Called by the file of checks: what became of this one?
check() {
	local name=$1 status='' took=''

	read -r _ _ status took < <(grep "^end $name " "$work/said")
	if [ "$status" = 0 ]; then
		echo "ok $name ($took s)"
	elif [ -z "$status" ] && finished; then
		late=$((late + 1))
		echo "not run: $name"
	else
		failures=$((failures + 1))
		echo "FAILED $name: ${status:+status $status, $took s}"
		grep -q "^started $name\$" "$work/said" ||
			echo "it had not begun"
		sed -n "/^begin $name\$/,/^end $name /p" "$work/said" |
			head -n 200
	fi
}

touch "$work/console" "$work/results"
started=$SECONDS
boot
status=$?
tr -d '\r' <"$work/results" >"$work/said"
echo "${vmlinuz##*/}, up and down in $((SECONDS - started)) s"
# shellcheck source=test/kernel/checks.sh
. "$checks"
if ! finished; then
	failures=$((failures + 1))
	echo "FAILED: the guest did not finish, the emulator's status is" \
		"$status (124: the watchdog's). Its console:"
	tail -n 40 "$work/console"
fi
[ $failures -eq 0 ] || exit 1
[ $late -eq 0 ] || skip "too slow here for all: $late checks were not run"
