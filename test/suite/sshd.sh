#!/bin/bash
# sshd: a child per connection, which does what can't be undone before it execs
# sshd again: none stays lazy. The one that talks before anybody has logged in
# is under a seccomp filter, which ends it for a call that is not its own.
. "$(dirname "$0")/lib.sh"
needs /usr/sbin/sshd ssh ssh-keygen
if [ "$(id -u)" -ne 0 ]; then
	echo "skip: only root may start another session"
	exit 77
fi

suite_file serve.sh <<'X'
# Driver: $FF_WITH starts the server preloaded, in the directory it runs in.
# /run/sshd is where it locks up its children: fixed when it was built.
made=
[ -d /run/sshd ] || { mkdir -m 755 /run/sshd && made=/run/sshd; }
trap 'kill $server 2>/dev/null; wait; rmdir $made 2>/dev/null' EXIT
trap 'exit 1' TERM
ssh-keygen -q -t ed25519 -N '' -f host
ssh-keygen -q -t ed25519 -N '' -f user
port=$((10000 + $$ % 10000))
until ! (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do port=$((port + 1)); done
$FF_WITH /usr/sbin/sshd -D -f /dev/null -p $port -o ListenAddress=127.0.0.1 \
	-h "$PWD/host" -o AuthorizedKeysFile="$PWD/user.pub" \
	-o StrictModes=no -o PidFile=none -o UsePAM=no \
	-o PermitRootLogin=yes -o Subsystem="sftp internal-sftp" \
	2>"$TMPDIR/log" &
server=$!
in_session() {
	timeout 20 ssh -q -F /dev/null -i user -p $port -o BatchMode=yes \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		root@127.0.0.1 "$@"
}
n=0
until in_session true; do
	n=$((n + 1)); [ $n -gt 100 ] && { cat "$TMPDIR/log"; exit 1; }
	sleep 0.1
done
for i in 1 2 3; do
	in_session "echo session $i; exit $i"; echo "status $?"
done
seq 50000 | in_session 'cat; kill -9 $$' | cksum
in_session 'sleep 0.2 & wait; seq 3 | sort -r'
printf 'get host.pub copy\n' | sed "s|host|$PWD/host|" |
	timeout 20 sftp -q -F /dev/null -i user -P $port -b - \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		root@127.0.0.1 >/dev/null
cmp copy host.pub && echo "copied"
kill $server; wait $server; echo "server $?"
rm -f host host.pub user user.pub copy
X
want 'exited 0' 'session 3'
compare "sessions" -d -o -- bash "$P/serve.sh"

suite_end
