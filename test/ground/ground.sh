#!/usr/bin/env bash
# When the ground for a lazy fork is missing: libc's fork, the same results,
# and a log line that says why. One case per run:
#
# ground.sh CASE
#
# Each case takes one thing away by an injected fault. The first one takes
# nothing away: without it the others would prove nothing.
#
# The cases are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"

# copy_for_nobody: guest, child and interposer where any user can read them;
# $as_nobody runs a command as one.
copy_for_nobody() {
	needs setpriv
	[ "$(id -u)" -eq 0 ] || skip "only root can become another user"
	cp "$guest" "$noop" "$object" "$work/" || exit 1
	guest=$work/guest
	noop=$work/noop
	object=$work/${object##*/}
	as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	"${as_nobody[@]}" true || skip "cannot become another user"
}

expect_lazy() {
	expect_all_counted
	[ "$(counter forks_lazy)" -ge 3 ] || {
		failed "forks_lazy is $(counter forks_lazy), not >= 3"
		cat "$work/lazy/log"
	}
}

case_nothing_missing() {
	all_ways
	expect_lazy
	[ -e "$work/fence/stats" ] || return
	[ "$(counter forks_lent fence)" -ge 3 ] || {
		failed "forks_lent is $(counter forks_lent fence), not >= 3"
		cat "$work/fence/log"
	}
}

case_no_user_dispatch() {
	outer=("$ground/without" sud)
	all_ways
	expect_real .
}

case_seccomp_in_force() {
	outer=("$ground/without" seccomp)
	all_ways
	expect_lazy
}

case_seccomp_refused() {
	outer=("$ground/without" seccomp)
	inner=(env FLATFORK_SECCOMP=refuse)
	all_ways
	expect_real seccomp
}

case_no_proc() {
	outer=("$ground/without" proc)
	all_ways
	expect_real /proc
}

# Nobody but who sends it raises one.
case_sigsys_handler() {
	options=(--sigsys)
	all_ways
	expect_lazy
}

case_tracer() {
	needs strace
	outer=(strace -f -q -o /dev/null)
	"${outer[@]}" true 2>/dev/null || skip "strace may not trace here"
	all_ways
	expect_real 'trace'
}

case_valgrind() {
	needs valgrind
	inner=(valgrind -q)
	all_ways
	expect_real valgrind
}

# Only the emulated program is preloaded; the emulator is not.
# shellcheck disable=SC2016 # the inner shell expands it
case_qemu_user() {
	needs qemu-x86_64
	inner=(bash -c 'preload=${LD_PRELOAD-}
		unset LD_PRELOAD
		exec qemu-x86_64 ${preload:+-E "LD_PRELOAD=$preload"} "$@"' --)
	all_ways
	expect_real .
}

case_asan_linked() {
	guest=$ground/guest-asan-static
	[ -x "$guest" ] || skip "the compiler has no static AddressSanitizer"
	all_ways
	expect_real 'sanitizer|asan|ASan|AddressSanitizer'
}

case_asan_preloaded() {
	guest=$ground/guest-asan
	[ -x "$guest" ] || skip "the compiler has no AddressSanitizer"
	first=$(ldd "$guest" | sed -n 's/.*=> \(.*libasan[^ ]*\).*/\1/p')
	[ -n "$first" ] || skip "AddressSanitizer is not a library here"
	first+=:
	all_ways
	expect_real 'sanitizer|asan|ASan|AddressSanitizer'
}

# The loader leaves the preload away there: no log, no counters, no change.
case_setuid() {
	options=(--secure)
	copy_for_nobody
	chown 0:0 "$guest" && chmod 4755 "$guest" || exit 1
	outer=("${as_nobody[@]}")
	all_ways
	[ -s "$work/lazy/log" ] && failed "a log in secure mode"
	[ -s "$work/lazy/stats" ] && failed "counters in secure mode"
}

# linked_for_nobody: the guest needs the interposer as a library, so that the
# loader can't leave it away.
linked_for_nobody() {
	options=(--secure)
	copy_for_nobody
	needs cc
	cc -O1 -D_GNU_SOURCE -pthread -o "$work/linked" "$here/guest.c" \
		-Wl,--no-as-needed -Wl,-rpath,"$work" "$object" || exit 1
	guest=$work/linked
	outer=("${as_nobody[@]}")
}

# said_nothing: with every option that leaves a trace, in a directory of its
# own, a privileged program leaves none, and its output is as plain.
said_nothing() {
	local option where=$work/empty

	mkdir "$where" && chmod 777 "$where" || exit 1
	echo "log = $where/log" >"$work/conf"
	guest=$work/guest
	run_guest plain
	guest=$work/linked
	for option in "FLATFORK_LOG=$where/log" "FLATFORK_STATS=$where/stats" \
		FLATFORK_LOG=stderr FLATFORK_STATS=stderr FLATFORK_FORK=lazy \
		"FLATFORK_CONFIG=$work/conf" FLATFORK_CONFIG=/nonexistent \
		FLATFORK_FORK=nonsense FLATFORK_FAULT=no-clone3,clone; do
		run_guest lazy FLATFORK_FORK=lazy "$option"
		[ -z "$(ls -A "$where")" ] || {
			failed "$option: left $(ls -A "$where")"
			rm -f "$where"/*
		}
		echo "$option"
		same_as_plain lazy
	done
}

# not_silent: the same program without privilege does write them, or the
# rest would prove nothing.
not_silent() {
	options=()
	: >"$work/log"
	chmod 666 "$work/log"
	run_guest lazy FLATFORK_FORK=lazy "FLATFORK_LOG=$work/log"
	[ -s "$work/log" ] || failed "no log where nothing is privileged"
	echo "log = $work/log2" >"$work/conf2"
	: >"$work/log2"
	chmod 666 "$work/log2"
	run_guest lazy FLATFORK_FORK=lazy "FLATFORK_CONFIG=$work/conf2"
	[ -s "$work/log2" ] || failed "no log by a file"
	options=(--secure)
}

case_setuid_linked() {
	linked_for_nobody
	not_silent
	chown 0:0 "$work/guest" "$guest" || exit 1
	chmod 4755 "$work/guest" "$guest" || exit 1
	said_nothing
}

case_capabilities_linked() {
	needs setcap
	linked_for_nobody
	not_silent
	setcap cap_net_raw+ep "$work/guest" 2>/dev/null &&
		setcap cap_net_raw+ep "$guest" ||
		skip "file capabilities can't be set here"
	said_nothing
}

# The loader does not leave away what the machine's own list has: there are no
# options for a privileged program, of its environment or of any file, and for a
# common one beside it there are.
case_setuid_everywhere() {
	copy_for_nobody
	unshare -m --propagation private true 2>/dev/null ||
		skip "no mount namespace can be had here"
	[ "$(id -u)" -eq 0 ] || skip "only root may"
	mkdir -m 755 "$work/usr" && mkdir -m 777 "$work/left" || exit 1
	cp "$object" "$work/usr" && cp "$guest" "$work/common" || exit 1
	chown 0:0 "$guest" && chmod 4755 "$guest" || exit 1
	printf '%s\n' "[${guest##*/},common]" "log = $work/left/log" \
		"stats = $work/left/stats" >"$work/flatfork.conf"
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m --propagation private bash -c 'set -e
		mount -t tmpfs none /mnt
		mkdir -m 755 /mnt/etc /mnt/local
		cp -a /etc/passwd /etc/group /etc/ld.so.c* /mnt/etc
		cp "$1/flatfork.conf" /mnt/etc
		cp "$1/usr/${3##*/}" /mnt/local
		mount --bind /mnt/local /usr/local
		mount --bind /mnt/etc /etc
		shopt -s extglob
		noop=$4 work=$1 guest=$2
		shift 4
		echo "/usr/local/libflatfork-preload.so" >/etc/ld.so.preload
		"$@" "FLATFORK_LOG=$work/left/log2" FLATFORK_FORK=nonsense \
			"FLATFORK_STATS=$work/left/stats2" HOME=/nonexistent \
			"$guest" --secure "$noop" >"$work/said" 2>&1
		[ -z "$(ls "$work/left")" ] || ls "$work/left" >>"$work/said"
		"$@" HOME=/nonexistent "$work/common" "$noop" >"$work/common.said"
	' -- "$work" "$guest" "$object" "$noop" "${as_nobody[@]}" env -i ||
		failed "status $?: $(cat "$work/said")"
	[ -s "$work/left/log" ] || failed "a common program reads no file"
	! grep -q 'flatfork\|log\|stats' "$work/said" ||
		failed "privileged: $(cat "$work/said")"
	cmp "$work/said" "$work/common.said" || failed "other words"
}

case_undumpable() {
	options=(--undumpable)
	copy_for_nobody
	outer=("${as_nobody[@]}")
	all_ways
	expect_lazy
}

# said PATTERN [FILE]: how many lines of flatfork's match
said() {
	grep -cE "^flatfork\\[[0-9]+\\]: .*$1" "${2:-$work/user/err}"
}

# Why a big process forks for real: once for each place and reason, to standard
# error where there is no log.
case_big_forks_are_said() {
	local real='real, with [0-9]+ MiB resident: '

	guest=$ground/keeps
	options=(work)
	run_guest plain
	run_guest user "LD_PRELOAD=$object" FLATFORK_LEND=off \
		FLATFORK_WARN_RSS=32M FLATFORK_STATS="$work/user/stats"
	[ "$(said "$real")" -eq 2 ] ||
		failed "$(said "$real") lines, not 2"
	[ "$(said "${real}rolled back: child ends without exec\$")" -eq 1 ] ||
		failed "the first reason is not said once"
	[ "$(said "${real}children of this site do not exec\$")" -eq 1 ] ||
		failed "the second reason is not said once"
	[ "$(counter forks_warned user)" -eq 5 ] ||
		failed "$(counter forks_warned user) forks counted, not 5"
	drop_ours user
	same_as_plain user
	run_guest user "LD_PRELOAD=$object" FLATFORK_LEND=off \
		FLATFORK_WARN_RSS=32M FLATFORK_LOG="$work/log"
	[ "$(said "$real" "$work/log")" -eq 2 ] ||
		failed "$(said "$real" "$work/log") lines in the log"
	[ "$(said .)" -eq 0 ] || failed "they are on standard error, too"
	run_guest user "LD_PRELOAD=$object" FLATFORK_LEND=off \
		FLATFORK_WARN_RSS=1T
	[ "$(said .)" -eq 0 ] || failed "a small one is said"
}

# Children that write before exec would be committed, and may not be: they are
# not tried each time.
case_written_in_a_big_process() {
	guest=$ground/keeps
	options=(late)
	run_guest plain
	run_user FLATFORK_LEND=off FLATFORK_COMMIT_MAX=1M
	[ "$(counter rollbacks user)" -eq 2 ] ||
		failed "$(counter rollbacks user) children were taken back, not 2"
	[ "$(counter forks_real user)" -eq 5 ] ||
		failed "$(counter forks_real user) forks were real, not 5"
	drop_ours user
	same_as_plain user
}

# A daemon that gave up its rights without exec: what its memory is read by is
# root's.
case_dropped_rights() {
	options=(--dropped)
	copy_for_nobody
	all_ways
	grep -q '^dumpable [02]$' "$work/lazy/out" ||
		skip 'setuid() leaves processes dumpable here'
	expect_lazy
}

case_full_descriptor_table() {
	options=(--full-fds)
	log_to=stderr # no other log can be opened
	all_ways
	expect_all_counted
}

case_tight_address_space() {
	options=(--tight-as)
	all_ways
	expect_all_counted
}

# The forks that interrupt another one are libc's, the others as ever.
case_fork_in_handler() {
	local line='^flatfork\[[0-9]+\]: fork at .+: real: .'

	options=(--nested)
	all_ways
	grep -qE "$line" "$work/lazy/log" ||
		failed "no fork in a handler is logged as real"
	[ "$(counter forks_real)" -gt 0 ] || failed "forks_real is 0"
	[ "$(counter forks_lazy)" -gt 0 ] || failed "forks_lazy is 0"
}

declare -F "case_${1:-}" >/dev/null || {
	echo "no such case: ${1:-}"
	exit 1
}
"case_$1"
verdict
