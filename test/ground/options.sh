#!/usr/bin/env bash
# A bad value of an option: one warning that names option and value, and the
# default stands. Good values: no warning.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"

# warned NAME OPTION VALUE: exactly one line on standard error, naming both
warned() {
	local lines

	lines=$(wc -l <"$work/$1/err")
	[ "$lines" -eq 1 ] || {
		failed "$2=$3: $lines lines of warning, not 1:"
		cat "$work/$1/err"
	}
	grep -F -- "$2" "$work/$1/err" | grep -qF -- "$3" ||
		failed "$2=$3: the warning does not name both"
}

# run_with [VAR=VALUE...]: the guest under flatfork, with counters; on a busy
# machine a child may take longer than the default budget
run_with() {
	run_user "$@"
	same_as_plain user out status
}

# Behind protection keys what would be lazy is lent from its second time on.
not_real() {
	echo $(($(counter forks_lazy user) + $(counter forks_lent user)))
}

expect_lazy() {
	[ "$(not_real)" -gt 0 ] ||
		failed "$*: forks_lazy is 0: not the default"
}

# The default budget is short: a child it took back was lazy, too.
expect_tried() {
	[ $(($(not_real) + $(counter rollbacks user))) -gt 0 ] ||
		failed "$*: nothing lazy was tried: not the default"
}

expect_real_alone() {
	[ "$(not_real)" -eq 0 ] || failed "$*: lazy forks"
}

logs=
run_guest plain

# What the default does, for a process of this size (64 MiB).
run_with
[ -s "$work/user/err" ] && failed "a warning without a bad value"
expect_lazy "no option"

for bad in banana lazily; do
	run_with "FLATFORK_FORK=$bad"
	warned user FLATFORK_FORK "$bad"
	expect_lazy "FLATFORK_FORK=$bad"
done
run_with FLATFORK=maybe
warned user FLATFORK maybe
expect_lazy FLATFORK=maybe
for bad in wat 12Q -5M 99999999999999999999999M; do
	run_with "FLATFORK_MIN_RSS=$bad"
	warned user FLATFORK_MIN_RSS "$bad"
	expect_lazy "FLATFORK_MIN_RSS=$bad"
done
for bad in soon -3 10x 99999999999999999999; do
	run_with "FLATFORK_BUDGET_MS=$bad"
	warned user FLATFORK_BUDGET_MS "$bad"
	expect_tried "FLATFORK_BUDGET_MS=$bad"
done

# Good values are obeyed in silence.
run_with FLATFORK_MIN_RSS=1G
[ -s "$work/user/err" ] && failed "a warning for FLATFORK_MIN_RSS=1G"
expect_real_alone "FLATFORK_MIN_RSS=1G"
run_with FLATFORK_FORK=real
[ -s "$work/user/err" ] && failed "a warning for FLATFORK_FORK=real"
expect_real_alone "FLATFORK_FORK=real"
run_with FLATFORK=on FLATFORK_FORK=lazy FLATFORK_MIN_RSS=32M \
	FLATFORK_BUDGET_MS=30000
[ -s "$work/user/err" ] && failed "a warning for good values"
expect_lazy "good values"

# Nor does a bad value stop a program whose standard error is a pipe that nobody
# reads, or that is full. Here is one: what it writes to there is its own.
if command -v python3 >/dev/null; then
	cat >"$work/pipes.py" <<'END'
import os, signal, subprocess, sys
def start(w):
	return subprocess.run(["echo", "on"], stderr=w, timeout=100,
		stdout=subprocess.PIPE, env=dict(os.environ,
		LD_PRELOAD=sys.argv[1], FLATFORK_MIN_RSS="bad"))
r, w = os.pipe()
os.set_blocking(w, False)
try:
	while True:
		os.write(w, b"x")
except BlockingIOError:
	pass
os.set_blocking(w, True)
full = start(w)
os.close(r)
none = start(w)
print(full.returncode, full.stdout, none.returncode, none.stdout)
END
	said=$(python3 "$work/pipes.py" "$object")
	[ "$said" = "0 b'on\n' 0 b'on\n'" ] ||
		failed "a bad value stops a program: $said"
fi

verdict
