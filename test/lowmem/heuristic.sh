#!/usr/bin/env bash
# Under the default policy (vm.overcommit_memory=0) a single area larger than
# memory and swap together cannot be copied: a process with two adjacent
# mappings of most of that each cannot fork. Under flatfork it starts children,
# whether it has touched some of it or nothing.
set -u

tighten() { :; }
loosen() { :; }

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/lowmem/lib.sh
. "$here/lib.sh"

# The overcommit test changes the policy for moments.
exec 7>/tmp/flatfork-overcommit.lock
flock -w 120 7 || exit 1
read -r policy </proc/sys/vm/overcommit_memory
[ "$policy" -eq 0 ] || skip "vm.overcommit_memory is $policy, not 0"

size=$((($(meminfo_mib MemTotal) + $(meminfo_mib SwapTotal)) * 85 / 100))
available=$(meminfo_mib MemAvailable)
touch=$((available / 4 < 512 ? available / 4 : 512))

run_hog plain 2 "$size" "$touch" 3 exec
all_children plain 3 "fork: ENOMEM"
run_hog off 2 "$size" "$touch" 3 exec
all_children off 3 "fork: ENOMEM"
for way in user lazy; do
	for touched in "$touch" 0; do
		run_hog "$way" 2 "$size" "$touched" 20 exec
		all_children "$way, $touched MiB touched" 20 "status 7"
		lazy_at_least "$way, $touched MiB touched" 20
	done
done

verdict
