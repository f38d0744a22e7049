# What the tests of the benchmarks share: lines that are expected in $out.
# No figure is a verdict. Sourced; sets here, out and failures.

: "${FF_BUILD:?the build directory}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
failures=0

# expect NAME UNIT: exactly one line with that name and a number
expect() {
	local name=${1//./\\.}

	if [ "$(grep -cE "^$name [0-9]+(\.[0-9]+)? $2\$" "$out")" -ne 1 ]; then
		echo "missing or malformed: $1 ($2)"
		failures=$((failures + 1))
	fi
}
