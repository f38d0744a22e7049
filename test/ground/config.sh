#!/usr/bin/env bash
# Configuration files: options by program name, in force from the first fork
# on; one line for a mistake, and only where it can't be taken for output.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"
mkdir -p "$work/home/.config" || exit 1
at_home=$work/home/.config/flatfork.conf
conf=$work/conf
[ ! -e /etc/flatfork.conf ] || skip "there is an /etc/flatfork.conf"

# run_with [VAR=VALUE...]: the guest, as plain but for standard error
run_with() {
	run_user "HOME=$work/home" "$@"
	same_as_plain user out status
}

# says WHAT TEXT: standard error is one line with that, or nothing
says() {
	[ "$(grep -c . "$work/user/err")" -eq "$((${#2} > 0))" ] &&
		grep -qF -- "$2" "$work/user/err" && return
	[ -z "$2" ] && [ ! -s "$work/user/err" ] && return
	failed "$1: not said: $2"
	cat "$work/user/err"
}

lazy_forks() {
	echo $(($(counter forks_lazy user) + $(counter forks_lent user)))
}

expect_lazy() {
	[ "$(lazy_forks)" -gt 0 ] || failed "$1: no lazy fork"
}

expect_real() {
	[ "$(lazy_forks)" -eq 0 ] && [ "$(counter forks_real user)" -gt 0 ] ||
		failed "$1: not only real forks"
}

logs=
run_guest plain

run_with
expect_lazy "no file"
says "no file" ''

# Both files, and sections by name; the environment goes before.
printf '[nobody]\nfork = real\n' >"$at_home"
run_with
expect_lazy "another program's section"
printf '[gue*]\nfork = real\n' >"$at_home"
run_with
expect_real "a section of ours"
run_with FLATFORK_FORK=lazy
expect_lazy "the environment says otherwise"
printf 'fork = lazy\n' >"$conf"
run_with "FLATFORK_CONFIG=$conf"
expect_lazy "a file that is named goes in place of others"
run_with FLATFORK_CONFIG=/dev/null
expect_lazy "no file at all"

# Off is off: nothing is counted or logged.
printf 'flatfork = off\n' >"$at_home"
run_with "FLATFORK_LOG=$work/user/log"
[ ! -s "$work/user/stats" ] || failed "off: statistics"
[ ! -s "$work/user/log" ] || failed "off: a log"
says off ''

# Log and statistics by file.
printf 'log = %s\nstats = %s\n' "$work/its.log" "$work/its.stats" >"$at_home"
run_guest user "LD_PRELOAD=$object" "HOME=$work/home"
grep -q ': fork at ' "$work/its.log" || failed "no log by file"
grep -q forks_lazy "$work/its.stats" || failed "no statistics by file"

# Places: by offset and by function, and no others.
cat >"$work/places.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#define MAKE(name)                                                     \
	void name(const char *noop)                                    \
	{                                                              \
		if (!fork())                                           \
			execl(noop, noop, (char *)0);                  \
		wait(0);                                               \
	}
MAKE(one)
MAKE(two)
MAKE(three)
int main(int argc, char **argv)
{
	volatile char *memory = malloc(64 << 20);
	for (long at = 0; at < 64 << 20; at += 4096)
		memory[at] = 1;
	for (int i = 0; i < 3; i++)
		one(argv[1]), two(argv[1]), three(argv[1]);
	return argc < 2;
}
END
cc -O0 -o "$work/places" "$work/places.c" || exit 1
# log_of [VAR=VALUE...]: of that
log_of() {
	rm -f "$work/places.log"
	env "LD_PRELOAD=$object" HOME=/ "FLATFORK_LOG=$work/places.log" \
		FLATFORK_BUDGET_MS=20000 FLATFORK_LEND=off "$@" \
		"$work/places" "$noop"
}
# asked: how often which place was real, as the user wants it
asked() {
	sed -nE 's/.*fork at (places\+0x[0-9a-f]+).*: real: asked for$/\1/p' \
		"$work/places.log" | uniq -c | awk '{ print $1, $2 }' |
		sort -u | paste -sd' '
}
log_of
mapfile -t site < <(sed -nE 's/.*fork at (places\+0x[0-9a-f]+).*/\1/p' \
	"$work/places.log" | head -3)
[ -z "$(asked)" ] || failed "real without being asked: $(asked)"
printf 'fork@%s = real\n' "${site[1]}" >"$conf"
log_of "FLATFORK_CONFIG=$conf"
[ "$(asked)" = "3 ${site[1]}" ] || failed "by offset: $(asked)"
printf 'fork@places+one = real\nfork@places+two = real\n' >"$conf"
printf 'fork@places+two = lazy\nfork@other+three = real\n' >>"$conf"
log_of "FLATFORK_CONFIG=$conf"
[ "$(asked)" = "3 ${site[0]}" ] || failed "by function: $(asked)"

# The same of vforks and spawns, one place of two each; the whole program's
# option stands elsewhere.
cat >"$work/calls.c" <<'END'
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
#define MAKE(n)                                                          \
	void spawn##n(char *noop)                                        \
	{                                                                \
		char *argv[] = { noop, 0 };                              \
		pid_t pid;                                               \
		if (!posix_spawn(&pid, noop, 0, 0, argv, environ))       \
			wait(0);                                         \
	}                                                                \
	void vfork##n(char *noop)                                        \
	{                                                                \
		if (!vfork()) {                                          \
			execl(noop, noop, (char *)0);                    \
			_exit(1);                                        \
		}                                                        \
		wait(0);                                                 \
	}
MAKE(1)
MAKE(2)
int main(int argc, char **argv)
{
	for (int i = 0; i < 3; i++) {
		spawn1(argv[1]), spawn2(argv[1]);
		vfork1(argv[1]), vfork2(argv[1]);
	}
	return argc < 2;
}
END
cc -O0 -o "$work/calls" "$work/calls.c" || exit 1
# ways_of LINE...: a file of these; then FUNCTION WAY COUNT of all places
ways_of() {
	printf '%s\n' "$@" >"$conf"
	rm -f "$work/calls.stats"
	env "LD_PRELOAD=$object" "FLATFORK_STATS=$work/calls.stats" \
		"FLATFORK_CONFIG=$conf" "$work/calls" "$noop"
	sed -nE 's/.*"function":"([a-z0-9]+)".*("(spawned|vforked|libc)":[1-9][0-9]*).*/\1 \2/p' \
		"$work/calls.stats" | tr -d '"' | sort | paste -sd' '
}
# ways WHAT WANTED LINE...
ways() {
	local what=$1 want=$2 got
	shift 2
	got=$(ways_of "$@")
	[ "$got" = "$want" ] || failed "$what: $got"
}
ways "no place" \
	'spawn1 spawned:3 spawn2 spawned:3 vfork1 vforked:3 vfork2 vforked:3' \
	'# none'
ways "to libc at a place" \
	'spawn1 libc:3 spawn2 spawned:3 vfork1 vforked:3 vfork2 libc:3' \
	'spawn@calls+spawn1 = libc' 'vfork@calls+vfork2 = libc' \
	'vfork@calls+spawn2 = libc' 'fork@calls+vfork1 = real'
ways "ours at a place alone" \
	'spawn1 libc:3 spawn2 spawned:3 vfork1 vforked:3 vfork2 libc:3' \
	'spawn = libc' 'vfork = libc' \
	'spawn@calls+spawn2 = auto' 'vfork@calls+vfork1 = auto'

# What is left to libc for its caller's frame is counted, too.
cc -O2 -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-o "$work/calls" "$work/calls.c" || exit 1
[[ $(ways_of '# none') == *' vfork1 libc:6' ]] || failed "no frame: $(ways_of '# none')"

# A mistake: one line, and all else stands. Descriptor 2 gets it where it is
# known to be standard error.
printf 'min-rss = 12Q\nfork = real\nlog log\n' >"$conf"
run_with "FLATFORK_CONFIG=$conf"
says "a bad value" "flatfork: $conf:1: min-rss: '12Q' is not a size: 64M, 2G"
expect_real "behind a bad value"
run_with "FLATFORK_CONFIG=$conf" FLATFORK_LOG=stderr
[ "$(grep -c "$conf:1: " "$work/user/err")" -eq 1 ] ||
	failed "not said once: $(grep "$conf:1: " "$work/user/err")"
chmod 666 "$conf"
run_with "FLATFORK_CONFIG=$conf"
says "others may write" "flatfork: $conf: others may write it: not read"
expect_lazy "a file that is not read"
run_with "FLATFORK_CONFIG=$work/none"
says "none there" "flatfork: $work/none: there is no such file"
expect_lazy "a file that is not there"
printf 'min-rss = 12Q\n' >"$at_home"
run_with "FLATFORK_LOG=$work/told.log"
says "not named by the environment" ''
grep -qF "$at_home:1: min-rss: '12Q'" "$work/told.log" ||
	failed "a mistake is not in the log"
if command -v script >/dev/null; then
	HOME=$work/home script -qec "env LD_PRELOAD=$object $guest $noop" \
		/dev/null >"$work/terminal" </dev/null
	grep -qF "flatfork: $at_home:1: min-rss: '12Q' is not a size" \
		"$work/terminal" || failed "a terminal is told nothing"
fi

# A program that starts nothing opens none; one that does, each once.
if command -v strace >/dev/null && strace -q -o /dev/null true 2>/dev/null; then
	HOME=$work/home LD_PRELOAD=$object strace -o "$work/trace" true
	grep -q 'flatfork\.conf' "$work/trace" &&
		failed "read by a program that starts nothing"
	HOME=$work/home strace -E "LD_PRELOAD=$object" -o "$work/trace" \
		sh -c '(:); (:); (:)'
	[ "$(grep -c 'openat.*flatfork\.conf' "$work/trace")" -eq 2 ] ||
		failed "opened: $(grep 'flatfork\.conf' "$work/trace")"
fi

verdict
