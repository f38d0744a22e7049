#!/usr/bin/env bash
# silent.sh off|idle: where the interposer makes no system call of its own, a
# traced program makes, process by process, the same calls without it and with
# it. So it is with FLATFORK=off (off), and in a program that starts no others
# and asks for no statistics (idle).
#
# Until the loader hands over, its own calls for one more object are left out
# (open, read, map, protect, close, by name); after that everything counts,
# arguments included, but for addresses and process ids. Where a SIGCHLD
# arrives is chance: the return from its handler and a call that it made the
# kernel restart are left out.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"

case ${1:?off or idle} in
off)	program=("$guest" "$noop") processes=$((GUEST_FORKS + 1)) mode=off ;;
idle)	program=("$FF_BUILD/test/prog/report" pending) processes=1 mode=on ;;
*)	exit 2 ;;
esac

needs strace
strace -q -o /dev/null true 2>/dev/null || skip "strace may not trace here"

# trace NAME [VAR=VALUE...]: $work/NAME/t.PID for each process
trace() {
	local name=$1
	shift
	run "$name" strace -ff -s 256 -o "$work/$name/t" \
		-E "FLATFORK=$mode" "$@" "${program[@]}"
	[ "$(status_of "$name")" = 0 ] || {
		cat "$work/$name/err"
		failed "$name: status $(status_of "$name")"
		verdict
	}
}

# The loader's last call before constructors run is the one that asks for the
# stack limit. Forked processes have none: everything of theirs counts.
normalize() {
	awk -v is_first="$2" '
	BEGIN { loading = is_first }
	/^(---|\+\+\+|rt_sigreturn\()/ || / ERESTART/ { next }
	{ call = $0; sub(/\(.*/, "", call) }
	/RLIMIT_STACK/ { loading = 0 }
	loading && call ~ /^(openat|read|pread64|fstat|newfstatat|mmap|munmap|mprotect|close)$/ { next }
	{
		gsub(/0x[0-9a-f]+/, "ADDRESS")
		sub(/\/\* [0-9]+ vars \*\//, "ENVIRONMENT")
		gsub(/child_tidptr=[^,)]*/, "child_tidptr")
		gsub(/(si_pid|parent_tid)=[^,)}]*/, "PID")
		if (call ~ /^(clone|clone3|fork|vfork)$/)
			sub(/= [0-9]+$/, "= PID")
		if (call ~ /^(wait4|waitid)$/) {
			sub(/\([0-9]+/, "(PID")
			sub(/= [0-9]+$/, "= PID")
		}
		if (call ~ /^(getpid|gettid|getppid|set_tid_address)$/)
			sub(/= [0-9]+/, "= PID")
		if (call ~ /^(kill|tgkill|tkill)$/)
			gsub(/[0-9]+,/, "PID,")
		if (call == "getrandom")
			sub(/"[^"]*"/, "BYTES")
		print
	}' "$1"
}

trace plain
trace ours -E "LD_PRELOAD=$object"
same_as_plain ours

mapfile -t plain < <(printf '%s\n' "$work"/plain/t.* | sort -V)
mapfile -t ours < <(printf '%s\n' "$work"/ours/t.* | sort -V)
[ "${#plain[@]}" -eq "$processes" ] ||
	failed "${#plain[@]} processes traced, not $processes"
[ "${#plain[@]}" -eq "${#ours[@]}" ] ||
	failed "${#plain[@]} processes plain, ${#ours[@]} ours"
for i in "${!plain[@]}"; do
	first_process=$((i == 0))
	normalize "${plain[i]}" "$first_process" >"$work/a"
	normalize "${ours[i]:-/dev/null}" "$first_process" >"$work/b"
	[ -s "$work/a" ] || failed "process $i: nothing traced"
	diff -u --label plain --label ours "$work/a" "$work/b" ||
		failed "process $i: the calls differ"
done

# The cut is where it is said to be.
grep -q RLIMIT_STACK "${plain[0]}" ||
	failed "the loader's end was not found"

verdict
