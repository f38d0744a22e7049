#!/bin/bash
# nginx: the master forks workers that never exec; on SIGUSR2 it forks and
# execs the next master.
. "$(dirname "$0")/lib.sh"
needs nginx ab curl
suite_forks_by nginx

suite_file serve.sh <<'X'
# Driver: $FF_WITH starts the server preloaded, in the directory it runs in.
trap 'for f in nginx.pid nginx.pid.oldbin; do
	test -e $f && kill $(cat $f); done 2>/dev/null' EXIT
trap 'exit 1' TERM
mkdir -p docs temp
seq 20000 >docs/numbers
chmod -R a+rX . 
port=$((20000 + $$ % 10000))
until ! (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do port=$((port + 1)); done
workers=4
conf() { cat >nginx.conf <<END
user $(id -un);
worker_processes $workers;
pid $PWD/nginx.pid;
error_log $TMPDIR/error.log crit;
events { worker_connections 128; }
http {
	access_log off;
	client_body_temp_path $PWD/temp; proxy_temp_path $PWD/temp;
	fastcgi_temp_path $PWD/temp; uwsgi_temp_path $PWD/temp;
	scgi_temp_path $PWD/temp;
	server { listen 127.0.0.1:$port; root $PWD/docs; }
}
END
}
. "$P/await.sh"
get() { curl -s -m 20 "http://127.0.0.1:$port/numbers"; }
kids() { wc -w <"/proc/$1/task/$1/children"; }
has() { [ "$(kids "$1")" = "$2" ]; }
bench() {
	timeout 60 ab -q -n 1500 -c 8 "http://127.0.0.1:$port/numbers" 2>&1 |
		grep -E '^(Complete|Failed|Non-2xx|Document Length)'
}
conf
$FF_WITH "$(command -v nginx)" -p "$PWD/" -c "$PWD/nginx.conf" -e "$TMPDIR/error.log"
await test -s nginx.pid; master=$(cat nginx.pid); await get; await has $master 4
get | cksum; bench
echo "workers $(kids $master)"
workers=2; conf; kill -HUP $master; await has $master 2
get | cksum; bench
set -- $(cat "/proc/$master/task/$master/children")
kill -KILL "$1"; await has $master 2       # a worker that dies is replaced
get | cksum
kill -USR2 $master; await test -e nginx.pid.oldbin; await has $master 3
await test -s nginx.pid
next=$(cat nginx.pid); await has "$next" 2
kill -QUIT $master; await test ! -e /proc/$master; echo "old master gone"
get | cksum; bench; ls "/proc/$next/fd" | wc -l
kill -QUIT "$next"; await test ! -e "/proc/$next"
rm -rf nginx.conf temp
X
want 'exited 0' 'old master gone'
compare "workers, reload, the next binary" -d -o -t 120 -l nginx -- \
	bash "$P/serve.sh"

suite_end
