#!/usr/bin/env bash
# FLATFORK_FALLBACK=deny: a fork that is not lazy fails with ENOMEM, as one for
# which there is no memory, in a process that is big enough.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"
guest=$ground/denied

# run_with [VAR=VALUE...]
run_with() {
	run_user FLATFORK_FORK=lazy "$@"
	[ "$(status_of user)" = 0 ] || failed "$*: status $(status_of user)"
}

# counted WANT PATTERN: lines of the output
counted() {
	[ "$(grep -cE "$2" "$work/user/out")" -eq "$1" ] && return
	failed "not $1 lines of: $2"
	cat "$work/user/out"
}

run_guest plain
grep -q '^clone: a child' "$work/plain/out" && clones=1 || clones=0

# Big enough: it execs, or it fails; what copies nothing is as ever.
run_with FLATFORK_FALLBACK=deny:32M
counted 3 '^execs: a child, status 0, handlers 0$'
counted 3 '^writes: ENOMEM, status -1, handlers 0$'
counted 3 '^ends: ENOMEM, status -1, handlers 0$'
counted 2 '^(vfork|spawn): a child, status 0'
[ "$clones" -eq 0 ] || counted 1 '^clone: ENOMEM'
[ "$(counter forks_real user)" -eq 0 ] || failed "there were real forks"
[ "$(counter forks_denied user)" -eq $((6 + clones)) ] ||
	failed "forks_denied is $(counter forks_denied user)"
grep -qE ': fork at .*: denied \(ENOMEM\): rolled back: child writes' \
	"$work/user/log" || failed "the log does not say why"

# Nothing lazy is possible: said before libc begins.
run_with FLATFORK_FALLBACK=deny:32M FLATFORK_FAULT=no-sud
counted 9 '^(execs|writes|ends): ENOMEM, status -1, handlers 0$'
counted 2 '^(vfork|spawn): a child, status 0'
[ "$(counter forks_real user)" -eq 0 ] || failed "no-sud: real forks"

# Who would be too small for a lazy fork is not, where it is denied another.
run_with FLATFORK_FORK=auto FLATFORK_MIN_RSS=1G FLATFORK_FALLBACK=deny:32M
counted 3 '^execs: a child, status 0, handlers 0$'
counted 3 '^writes: ENOMEM, status -1, handlers 0$'

# A clone that fails, an area that can't be marked: not copied either.
for fault in clone no-maps; do
	run_with FLATFORK_FALLBACK=deny:32M "FLATFORK_FAULT=$fault"
	counted 9 '^(execs|writes|ends): ENOMEM, status -1, handlers 0$'
done

# What passes is no reason: a signal is taken, and the fork begins anew.
options=(--signals)
run_with FLATFORK_FALLBACK=deny:32M FLATFORK_LEND=off
counted 1 '^among signals: 0 failed$'
[ "$(counter forks_real run)" -eq 0 ] || failed "signals: real forks"
options=()

# Too small for it, and not asked for: as plain.
for value in deny deny:1G copy; do
	run_with "FLATFORK_FALLBACK=$value"
	same_as_plain user out
	[ "$(counter forks_denied user)" -eq 0 ] ||
		failed "$value: denied"
done

verdict
