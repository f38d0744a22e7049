#!/bin/bash
# flatfork status PID, and doctor --pid: whether the object is in a process and
# in force there, and why not.
. "$(dirname "$0")/lib.sh"

# of COMMAND...: status of a process that was started so, when it is under way
of() {
	local pid
	"$@" >/dev/null 2>&1 &
	pid=$!
	until grep -qs . "/proc/$pid/cmdline" &&
		[[ $(readlink "/proc/$pid/exe") == */sleep* ]]; do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	sleep 0.2
	got=0
	"$flatfork" status "$pid" >"$work/out" 2>"$work/err" || got=$?
	kill "$pid" && wait "$pid" 2>/dev/null
}

# is STATUS FACT...: what that said
is() {
	[ "$got" -eq "$1" ] || fail "status $got instead of $1"
	shift
	local text
	for text; do
		grep -qE "^$text" "$work/out" && continue
		fail "not said: $text"
		sed 's/^/	/' "$work/out" "$work/err"
	done
}

of "$flatfork" run --fork lazy -- sleep 100
is 0 'process +[0-9]+ sleep$' "object +$object\$" \
	'options +FLATFORK_FORK=lazy$' 'in force +yes$' \
	'forks +lazy where they can be'
silent err
of "$flatfork" run -- sleep 100
is 0 'options +none$' 'forks +real: small process \(1?[0-9] MiB resident, 16 '
of "$flatfork" run --fork real -- sleep 100
is 0 'forks +real: asked for'
# What a process is called, and has in its environment, is not for a terminal.
cp "$(type -P sleep)" "$work/sleep"$'\033[31mb'
of env FLATFORK_STATS=$'/tmp/c\033]2;d\007' \
	"$flatfork" run -- "$work/sleep"$'\033[31mb' 100
is 0 'process +[0-9]+ sleep\?\[31mb$' \
	'options +FLATFORK_STATS=/tmp/c\?\]2;d\?$'
mkdir "$work/a b"
cp "$(type -P sleep)" "$work/a b/sleep c"
of "$flatfork" run --only 'sleep c' -- "$work/a b/sleep c" 100
is 0 'process +[0-9]+ sleep c$' 'in force +yes$'
of env FLATFORK=off "$flatfork" run -- sleep 100
is 1 "object +$object\$" 'in force +no: switched off$'
of "$flatfork" run --skip 'sl*' -- sleep 100
is 1 'in force +no: switched off$'
echo 'flatfork = off' >"$work/conf"
of "$flatfork" run --config "$work/conf" -- sleep 100
is 1 'in force +no: switched off$'
of sleep 100
is 1 'object +none: not in LD_PRELOAD' 'in force +no: the object is not there$'
of env LD_PRELOAD="$work/none/libflatfork-preload.so" sleep 100
is 1 "object +none: it was not to be loaded: $work/none/"

# Nor is what its counters are called, which it has in its memory; and what it
# says is its configuration is not opened where that would do something.
mkdir "$work/evil"
sed $'s/\\(flatfork\'s counters:\\)forks/\\1\033[31m/' "$object" \
	>"$work/evil/libflatfork-preload.so"
cmp -s "$object" "$work/evil/libflatfork-preload.so" && fail "no such counters"
of env LD_PRELOAD="$work/evil/libflatfork-preload.so" sleep 100
is 0 'in force +yes$'
grep -q $'\033' "$work/out" && fail "an escape sequence is shown"
mkfifo "$work/fifo"
(exec 3>"$work/fifo" && echo opened >"$work/opened") 2>/dev/null &
writer=$!
of env LD_PRELOAD="$object" FLATFORK_CONFIG="$work/fifo" sleep 100
is 0 'in force +yes$'
[ ! -e "$work/opened" ] || fail "a pipe was opened"
kill "$writer" && wait "$writer" 2>/dev/null

# Its configuration is what it finds by these names: in a tree of its own, by a
# link that leads to there, and beside where it is.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir -p "$work/tree/etc" "$work/tree/opt"
	echo 'flatfork = off' >"$work/tree/opt/conf"
	ln -s /opt/conf "$work/tree/etc/flatfork.conf"
	echo 'flatfork = off' >"$work/conf"
	cp "$object" "$work/tree"
	# shellcheck disable=SC2016 # for the shell there
	in_tree=(unshare -m sh -c 'cd "$1" && shift &&
		for i in usr lib lib64 bin proc; do
			mkdir -p "$i" && mount --bind "/$i" "$i" 2>/dev/null
		done
		exec chroot . env LD_PRELOAD=/libflatfork-preload.so "$@"' -
		"$work/tree")
	of "${in_tree[@]}" sleep 100
	is 1 "object +" 'in force +no: switched off$'
	: >"$work/tree/opt/conf"
	of "${in_tree[@]}" sleep 100
	is 0 'in force +yes$'

	# Of another user, one's own is to be trusted; a third one's is not.
	chmod 711 "$work"
	mkdir -p "$work/other/.config"
	echo 'flatfork = off' >"$work/other/.config/flatfork.conf"
	chown -R 65533 "$work/other"
	of setpriv --reuid 65533 --clear-groups env HOME="$work/other" \
		LD_PRELOAD="$object" sleep 100
	is 1 'in force +no: switched off$'
	chown 65532 "$work/other/.config/flatfork.conf"
	of setpriv --reuid 65533 --clear-groups env HOME="$work/other" \
		LD_PRELOAD="$object" sleep 100
	is 0 ".*another user's: not read\$" 'in force +yes$'
fi
of env --chdir="$work" LD_PRELOAD="$object" FLATFORK_CONFIG=conf sleep 100
is 1 'in force +no: switched off$'

# A file that was replaced meanwhile.
cp "$object" "$work/libflatfork-preload.so"
LD_PRELOAD=$work/libflatfork-preload.so sleep 100 &
pid=$!
sleep 0.3
rm "$work/libflatfork-preload.so"
expect 0 "$flatfork" doctor --pid "$pid"
says out '(replaced since it started)'
expect 0 "$flatfork" doctor --pid="$pid"
kill "$pid" && wait "$pid" 2>/dev/null

if cc -static -o "$work/static" -x c - 2>/dev/null <<<'
	#include <unistd.h>
	int main(void) { return pause(); }'; then
	"$flatfork" run "$work/static" &
	pid=$!
	sleep 0.3
	expect 1 "$flatfork" status "$pid"
	says out 'none: a static program'
	kill "$pid" && wait "$pid" 2>/dev/null
fi

expect 125 "$flatfork" status
says err 'of which process?'
expect 125 "$flatfork" status perl
says err "'perl' is not a process: 1234"
expect 125 "$flatfork" status 1 2
expect 125 "$flatfork" status 4194305
says err 'process 4194305: there is none'
# One that nobody has waited for yet.
perl -e '$| = 1; my $p = fork // die; exit unless $p; print "$p\n"; sleep 60' \
	>"$work/zombie" &
pid=$!
for _ in $(seq 100); do
	grep -qs zombie "/proc/$(cat "$work/zombie")/status" && break
	sleep 0.1
done
expect 125 "$flatfork" status "$(cat "$work/zombie")"
says err ': it has ended'
kill "$pid"
# The kernel's have no program in them.
if [ "$(id -u)" = 0 ] && grep -qs kthreadd /proc/2/comm; then
	expect 125 "$flatfork" status 2
	says err "process 2: it is a thread of the kernel's"
fi

finish
