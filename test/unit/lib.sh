# shellcheck shell=bash
# What the scripts of this directory share; sourced, not run.
# shellcheck disable=SC2034 # variables are for those who source this
set -u

: "${FF_BUILD:?the build directory, an absolute path}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
flatfork=$FF_BUILD/flatfork
object=$FF_BUILD/libflatfork-preload.so
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset FLATFORK "${!FLATFORK_@}" LD_PRELOAD

failures=0

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

skip() {
	echo "SKIPPED: $*"
	exit 77
}

# expect STATUS COMMAND...: what it wrote is in $work/out and $work/err
expect() {
	local want=$1 got=0
	shift
	"$@" >"$work/out" 2>"$work/err" || got=$?
	[ "$got" -eq "$want" ] && return
	fail "$*: status $got instead of $want"
	sed 's/^/	/' "$work/out" "$work/err"
}

# end_when_begun COMMAND...: it writes to $work/began, and is sent SIGTERM then
end_when_begun() {
	"$@" &
	until [ -s "$work/began" ]; do sleep 0.05; done
	kill "$!"
	wait "$!"
}

# says FILE TEXT: FILE (out or err) has TEXT in it, as it stands here
says() {
	grep -qF -- "$2" "$work/$1" && return
	fail "std$1 does not say: $2"
	sed 's/^/	/' "$work/$1"
}

silent() {
	[ -s "$work/$1" ] || return
	fail "std$1 should be empty:"
	sed 's/^/	/' "$work/$1"
}

finish() {
	[ "$failures" -eq 0 ] && echo passed
	exit "$((failures > 0))"
}
