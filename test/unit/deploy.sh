#!/bin/bash
# The examples of examples/deploy, as far as they can be tried without what they
# are for: their settings are options with good values that reach a program, and
# their scripts do what they say.
# shellcheck disable=SC2016 # inner shells expand those
. "$(dirname "$0")/lib.sh"

deploy=$root/examples/deploy
installed='/usr/$LIB/libflatfork-preload.so'

# reaches NAME=VALUE...: a program is started with that, and it is in force; the
# object is where this machine has it
reaches() {
	local pid
	[ "$#" -gt 1 ] || fail "no settings found: $*"
	set -- "${@/#LD_PRELOAD="$installed"/LD_PRELOAD=$object}"
	env "$@" sleep 100 2>"$work/said" &
	pid=$!
	sleep 0.3
	expect 0 "$flatfork" status "$pid"
	says out 'in force        yes'
	says out 'FLATFORK_MIN_RSS=64M'
	[ ! -s "$work/said" ] || fail "$*: $(cat "$work/said")"
	kill "$pid" && wait "$pid" 2>/dev/null
}

mapfile -t settings < <(sed -n 's/^Environment=//p' "$deploy/systemd.conf")
reaches "${settings[@]}"
if command -v systemd-analyze >/dev/null; then
	mkdir "$work/units" "$work/units/x.service.d"
	printf '[Service]\nExecStart=/bin/true\n' >"$work/units/x.service"
	cp "$deploy/systemd.conf" "$work/units/x.service.d/flatfork.conf"
	SYSTEMD_UNIT_PATH=$work/units: systemd-analyze verify \
		"$work/units/x.service" >"$work/out" 2>&1
	grep -i 'flatfork.conf' "$work/out" && fail "systemd complains"
fi

mapfile -t settings < <(sed -n 's/^ENV //p' "$deploy/Dockerfile" | tr -d '\\')
reaches "${settings[@]}"

# The last container's variables; the object is in the volume.
mkdir "$work/flatfork" && cp "$object" "$work/flatfork"
mapfile -t settings < <(sed -n '/^  containers:/,$p' "$deploy/kubernetes.yaml" |
	awk '$2 == "name:" { name = $3 } $1 == "value:" { print name "=" $2 }' |
	sed "s|=/flatfork/|=$work/flatfork/|")
reaches "${settings[@]}"
# What the first one copies is that, where the one of 32 bits lies beside it.
mapfile -t copy < <(grep '^ *command:' "$deploy/kubernetes.yaml" | head -n 1 |
	grep -o '"[^"]*"' | tr -d '"')
mkdir -p "$work/usr/lib/i386-linux-gnu" "$work/usr/lib/x86_64-linux-gnu"
: >"$work/usr/lib/i386-linux-gnu/libflatfork-preload.so"
cp "$object" "$work/usr/lib/x86_64-linux-gnu"
rm "$work/flatfork"/*
copy=("${copy[@]//\/usr\/lib/$work/usr/lib}")
expect 0 "${copy[@]//\/flatfork\//$work/flatfork/}"
cmp "$object" "$work/flatfork/libflatfork-preload.so" || fail "another is copied"
if python3 -c 'import yaml' 2>/dev/null; then
	expect 0 python3 -c '
import sys, yaml
pod = yaml.safe_load(open(sys.argv[1]))
mounts = {m["name"] for c in pod["spec"]["containers"] +
          pod["spec"]["initContainers"] for m in c["volumeMounts"]}
assert mounts == {v["name"] for v in pod["spec"]["volumes"]}
' "$deploy/kubernetes.yaml"
fi

expect 0 env WITH_FLATFORK=yes FLATFORK_OBJECT="$object" \
	"$deploy/slurm-task-prolog.sh"
mapfile -t settings < <(sed -n 's/^export //p' "$work/out")
reaches "${settings[@]}"
expect 0 "$deploy/slurm-task-prolog.sh"
silent out
expect 0 env WITH_FLATFORK=yes FLATFORK_OBJECT=/none/libflatfork-preload.so \
	"$deploy/slurm-task-prolog.sh"
silent out
cp "$object" "$work/other.so"
expect 0 env WITH_FLATFORK=yes FLATFORK_OBJECT="$object" \
	LD_PRELOAD="$work/other.so" "$deploy/slurm-task-prolog.sh"
says out "LD_PRELOAD=$object:$work/other.so"
expect 0 env WITH_FLATFORK=yes FLATFORK_OBJECT="$object" \
	LD_PRELOAD="$work/other.so:$object" "$deploy/slurm-task-prolog.sh"
silent out
grep -qF "$installed" "$deploy/slurm-task-prolog.sh" || fail "another place"

mapfile -t settings < <(awk '$1 == "setenv" || $1 == "prepend-path" {
	print $2 "=" $3 }' "$deploy/modulefile" | tr -d '{}')
reaches "${settings[@]}"

# The program is the supervisor's child, also where there is no flatfork.
for command in "$flatfork" /none/flatfork; do
	FLATFORK_COMMAND=$command "$deploy/run" sleep 100 >"$work/said" 2>&1 &
	pid=$!
	for _ in {1..100}; do
		[[ $(readlink "/proc/$pid/exe") == */sleep* ]] && break
		sleep 0.05
	done
	got=0
	"$flatfork" status "$pid" >"$work/out" 2>&1 || got=$?
	[ "$command" = "$flatfork" ] && want=0 || want=1
	[ "$got" -eq "$want" ] || fail "run, $command: $(cat "$work/out")"
	says out 'sleep'
	kill "$pid"
	wait "$pid"
	[ $? -eq 143 ] || fail "run: the signal did not come through"
done

# Each is named where people look.
for file in "$deploy"/*; do
	grep -q "deploy/${file##*/}" "$root/examples/README.md" ||
		fail "examples/README.md does not name ${file##*/}"
done

finish
