#!/bin/bash
# apache2 with mpm_prefork: workers that never exec, and CGI programs that
# each worker forks and execs.
. "$(dirname "$0")/lib.sh"
needs apache2 ab curl setpriv
modules=/usr/lib/apache2/modules
if [ ! -e $modules/mod_mpm_prefork.so ] || [ "$(id -u)" != 0 ]; then
	echo "skip: needs mod_mpm_prefork and root"
	exit 77
fi
suite_forks_by "$(ldd "$(command -v apache2)" | awk '/libapr-1/ { print $3 }')"
suite_other_user

suite_file serve.sh <<'X'
# Driver: $FF_WITH starts the server preloaded, in the directory it runs in.
trap 'test -e $TMPDIR/pid && kill $(cat $TMPDIR/pid) 2>/dev/null; wait' EXIT
trap 'exit 1' TERM
mkdir -p docs/cgi
seq 20000 >docs/numbers
printf '#!/bin/sh\necho "Content-Type: text/plain"; echo; echo "cgi $QUERY_STRING"\n' \
	>docs/cgi/hello
printf '#!/nonexistent/interpreter\n' >docs/cgi/bad
chmod -R a+rX . ; chmod 755 docs/cgi/*
port=$((10000 + $$ % 10000)) # below those that clients get
until ! (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do port=$((port + 1)); done
m=/usr/lib/apache2/modules
cat >apache.conf <<END
ServerRoot $PWD
ServerName localhost
Listen 127.0.0.1:$port
PidFile $TMPDIR/pid
ErrorLog $TMPDIR/error.log
Mutex pthread
User www-data
Group www-data
LoadModule mpm_prefork_module $m/mod_mpm_prefork.so
LoadModule authz_core_module $m/mod_authz_core.so
LoadModule alias_module $m/mod_alias.so
LoadModule cgi_module $m/mod_cgi.so
StartServers 3
MinSpareServers 2
MaxSpareServers 4
MaxRequestWorkers 8
MaxConnectionsPerChild 200
DocumentRoot $PWD/docs
ScriptAlias /cgi/ $PWD/docs/cgi/
END
. "$P/await.sh"
url=http://127.0.0.1:$port
get() { curl -sf -m 20 "$url/$1"; }
bench() {
	timeout 60 ab -q -n 800 -c 8 "$url/$1" 2>&1 |
		grep -E '^(Complete|Failed|Non-2xx|Document Length)'
}
$FF_WITH apache2 -f "$PWD/apache.conf" -t 2>&1
# On its way out it signals its whole process group.
setsid $FF_WITH apache2 -DFOREGROUND -f "$PWD/apache.conf" &
master=$!
await get numbers
get numbers | cksum; bench numbers
for i in $(seq 30); do get "cgi/hello?$i"; done
timeout 60 ab -q -n 200 -c 4 "$url/cgi/hello?x" 2>&1 |
	grep -E '^(Complete|Failed|Non-2xx)'
get cgi/bad; echo "bad cgi $?"
kill -USR1 $master; sleep 0.3; await get numbers   # a graceful restart
get numbers | cksum
kill -TERM $master; wait $master; echo "stopped $?"
rm -f apache.conf
X
# Workers that changed their user may not open their own /proc/self/mem: they
# give their children the memory that these ask for.
want 'exited 0' 'cgi 30'
compare "prefork workers and CGI, started by root" -d -o -t 120 \
	-l apache2 -- bash "$P/serve.sh"
want 'exited 0' 'cgi 30'
compare "prefork workers and CGI, started by a user" -d -o -t 120 \
	-l apache2 -- setpriv --reuid=www-data --regid=www-data \
	--clear-groups bash "$P/serve.sh"

suite_end
