#!/bin/bash
# FLATFORK=off: not one system call more than without us. A shell that forks
# is traced; its calls are compared from its first line of script on, and none
# may come from within the interposer.
# shellcheck disable=SC2016 # inner shells expand those
. "$(dirname "$0")/lib.sh"

strace -o /dev/null true 2>/dev/null || skip "nothing can be traced here"
command -v gawk >/dev/null || skip "gawk is not installed"

# umask marks where the script begins, in a number nobody else uses
script='umask 0123; (:); (exit 3); x=$(echo out); umask 0321'

# calls FILE: the names of the calls between the marks, one process after the
# other; addresses, pids and the order between processes are chance
calls() {
	sed -nE '/umask\(0123\)/,/umask\(0321\)/p' "$1" |
		sed -nE 's/^([0-9]+) +\[[0-9a-f]+\] ([a-z0-9_]+)\(.*/\1 \2/p' |
		sort -s -k1,1n | cut -d' ' -f2
}

trace() {
	local out=$1
	shift
	expect 0 strace -f -i -o "$out" "$@" sh -c "$script"
}

# inside FILE: calls made from the interposer's own text
inside() {
	gawk '
	/libflatfork-preload/ && /openat/ { wanted = 1 }
	wanted && /mmap\(NULL/ {
		base = strtonum($NF)
		match($0, /mmap\(NULL, [0-9]+/)
		size = substr($0, RSTART + 11, RLENGTH - 11)
		wanted = 0
		next
	}
	base {
		match($0, /\[[0-9a-f]+\]/)
		at = strtonum("0x" substr($0, RSTART + 1, RLENGTH - 2))
		if (at >= base && at < base + size)
			print
	}' "$1"
}

trace "$work/plain"
trace "$work/off" env FLATFORK=off FLATFORK_FORK=lazy \
	FLATFORK_LOG="$work/log" FLATFORK_STATS="$work/stats" \
	LD_PRELOAD="$object"
trace "$work/on" env FLATFORK_FORK=lazy FLATFORK_LOG="$work/log-on" \
	LD_PRELOAD="$object"

calls "$work/plain" >"$work/plain.calls"
calls "$work/off" >"$work/off.calls"
[ "$(grep -cE 'clone|fork' "$work/plain.calls")" -eq 3 ] ||
	fail "the trace does not show three forks"
diff -u "$work/plain.calls" "$work/off.calls" ||
	fail "system calls differ, plain (-) and off (+)"

inside "$work/off" >"$work/inside"
[ ! -s "$work/inside" ] || fail "off, and yet: $(cat "$work/inside")"
[ ! -e "$work/log" ] || fail "off wrote a log"
[ ! -e "$work/stats" ] || fail "off wrote counters"

# And the look is a real one: when on, such calls are there.
[ -n "$(inside "$work/on")" ] || fail "on: no call from the interposer seen"

finish
