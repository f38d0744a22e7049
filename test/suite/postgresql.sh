#!/bin/bash
# postgresql: the postmaster forks a backend per connection and a handful of
# workers; none execs. archive_command and COPY TO PROGRAM go through libc.
. "$(dirname "$0")/lib.sh"
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null |
	sort -V | tail -n 1)
if [ ! "$bin" ] || ! id postgres >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	echo "skip: needs a postgresql server, its user, and root"
	exit 77
fi
needs setpriv
suite_forks_by "$bin/postgres"
suite_other_user
suite_env=(BIN="$bin")

suite_file serve.sh <<'X'
# Driver, as user postgres: $FF_WITH starts the server preloaded.
export PATH=$BIN:$PATH PGDATA=$TMPDIR/data PGHOST=$TMPDIR PGUSER=postgres
trap '$BIN/pg_ctl -s -m immediate stop >/dev/null 2>&1' EXIT
trap 'exit 1' TERM
$FF_WITH initdb -A trust -N --no-locale -E UTF8 >/dev/null; echo "initdb $?"
cat >>"$PGDATA/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$TMPDIR'
fsync = off
shared_buffers = 128MB
max_connections = 20
log_min_messages = fatal
END
server() { $FF_WITH pg_ctl -s -w -t 60 -l "$TMPDIR/log" "$@"; echo "$* $?"; }
q() { psql -X -q -At "$@" postgres; }
server start
q -c 'create table t (n int primary key, v text)' \
	-c "insert into t select i, 'value ' || i from generate_series(1, 20000) i"
for c in 1 2 3 4 5 6; do
	(for i in $(seq 100); do
		echo "update t set v = v || '.' where n = $((c * 1000 + i));"
		echo "select count(*) from t where n % 7 = $((c % 7));"
	done | q >"out$c") &
done
wait
cat out? | sort | uniq -c | sort -k2n
q -c "select md5(string_agg(v, ',' order by n)) from t"
for i in $(seq 20); do q -c "select $i, v from t where n = $i"; done
pgbench -i -q -s 1 postgres >/dev/null 2>&1; echo "pgbench -i $?"
pgbench -n -c 4 -j 2 -t 50 postgres 2>/dev/null |
	grep -E 'actually|failed'
pgbench -n -C -c 4 -t 20 -S postgres 2>/dev/null | grep -E 'actually|failed'
q -c 'set max_parallel_workers_per_gather = 2' \
	-c 'set parallel_setup_cost = 0' -c 'set parallel_tuple_cost = 0' \
	-c 'set min_parallel_table_scan_size = 0' \
	-c 'select count(*), sum(aid) from pgbench_accounts'
q -c "copy (select 42) to program 'cat >\"\$TMPDIR/copied\"'"
cat "$TMPDIR/copied"
q -c "copy t from program 'exit 3'" 2>&1
q -c 'select pg_terminate_backend(pg_backend_pid())' 2>&1 | grep -c terminating
q -c 'select count(*) from t'
server -m fast restart
q -c 'select count(*), sum(length(v)) from t' -c 'vacuum analyze' \
	-c 'select count(*) from pgbench_history'
server -m fast stop
grep -E 'PANIC|terminated by signal' "$TMPDIR/log"
true
X
as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
want 'exited 0' '-m fast stop 0'
compare "initdb, queries on several connections, stop" -d -o -t 150 -- \
	"${as[@]}" bash "$P/serve.sh"

suite_end
