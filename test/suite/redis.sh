#!/bin/bash
# redis-server: BGSAVE forks a worker that writes a snapshot of the memory as
# it was and never execs, while the parent goes on changing it. The plain and
# the lazy server hold 1 GiB.
. "$(dirname "$0")/lib.sh"
needs redis-server redis-cli
free_kib=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
keys=131072 bytes=8192
if [ "$free_kib" -lt 3500000 ]; then
	echo "skip: less than 3.4 GiB of memory is available"
	exit 77
fi

suite_file bgsave.sh <<'X'
# Driver: $FF_WITH starts the server preloaded. Keys, and bytes per value.
keys=$1 bytes=$2
sock=$TMPDIR/sock
r() { redis-cli -s "$sock" "$@"; }
trap 'r shutdown nosave >/dev/null 2>&1; wait' EXIT
trap 'exit 1' TERM
start() {
	$FF_WITH redis-server --port 0 --unixsocket "$sock" --dir "$PWD" \
		--save '' --dbfilename dump.rdb --appendonly no --loglevel warning \
		--enable-debug-command local --rdbcompression no "$@" \
		>>"$TMPDIR/log" 2>&1 &
	server=$!
	n=0
	until [ "$(r ping 2>/dev/null)" = PONG ]; do
		n=$((n + 1)); [ $n -gt 1200 ] && { cat "$TMPDIR/log"; exit 1; }
		sleep 0.05
	done
}
stop() { r shutdown nosave >/dev/null 2>&1; wait $server; echo "stopped $?"; }
field() { r info "$1" | tr -d '\r' | sed -n "s/^$2://p"; }
saved() {
	n=0
	until [ "$(field persistence rdb_bgsave_in_progress)" = 0 ]; do
		n=$((n + 1)); [ $n -gt 1200 ] && { echo never; exit 1; }
		sleep 0.05
	done
	field persistence rdb_last_bgsave_status
}
start
r debug populate "$keys" key "$bytes"
r set moment before; r rpush list a b c
r hset hash f "$(head -c 10000 /dev/zero | tr '\0' x)" g 2; r dbsize
test "$(field memory used_memory)" -ge $((keys * bytes)) && echo "memory full"
# Digesting 1 GiB takes seconds, and plain's is printed and compared.
before=
[ "$MODE" = plain ] && before=$(r debug digest)
r bgsave
r set moment after
i=0
while [ $i -lt 300 ]; do                # while the worker writes
	echo "set key:$i changed"; echo "set new:$i x"; echo "del key:$((i + 500))"
	i=$((i + 1))
done | r >/dev/null
saved
r get moment; r get key:7; r dbsize
field stats total_forks
grep -c . "/proc/$server/task/$server/children"
stop
start                                   # loads the snapshot
r get moment; r get key:7 | tr -d '\0'; r lrange list 0 -1; r dbsize
after=$(r debug digest)
[ "${before:-$after}" = "$after" ] && echo "loads back identical"
echo "$after"
stop
rm -f dump.rdb
X
want 'exited 0' 'loads back identical'
compare "BGSAVE with 1 GiB" -t 120 -d -o -b -- \
	sh "$P/bgsave.sh" "$keys" "$bytes"

suite_file small.sh <<'X'
. "$P/functions.sh"
start --appendonly yes --appendfsync no
r debug populate 20000 key 100
for i in 1 2 3 4 5; do r set n $i; r bgsave; saved; done
i=0; while [ $i -lt 2000 ]; do echo "incr counter"; i=$((i + 1)); done | r >/dev/null
r bgrewriteaof
n=0
until [ "$(field persistence aof_rewrite_in_progress)" = 0 ] &&
    [ "$(field persistence aof_rewrite_scheduled)" = 0 ]; do
	n=$((n + 1)); [ $n -gt 600 ] && { echo never; exit 1; }
	sleep 0.05
done
field persistence aof_last_bgrewrite_status
before=$(r debug digest)
stop
start --appendonly yes --appendfsync no
r get counter; r dbsize
[ "$before" = "$(r debug digest)" ] && echo "replays identical"
stop
rm -rf appendonlydir dump.rdb
X
sed '/^start$/,$d' "$P/bgsave.sh" | suite_file functions.sh
want 'exited 0' 'replays identical'
compare "BGSAVE again and again, BGREWRITEAOF" -d -o -- sh "$P/small.sh" 0 0

suite_end
