#!/bin/bash
# split, env, nohup, install, setsid, flock, start-stop: small tools, each
# with a scenario or two.
. "$(dirname "$0")/lib.sh"
needs split env nohup install setsid flock
seq 1 5000 | suite_file numbers

suite_forks_by split
want 'exited 0'
compare "split --filter" -l split -- \
	split -l 300 --filter='gzip -n -c >$FILE.gz' "$P/numbers" part.
want 'exited 4' 'with FILE=part.ac, exit 4'
compare "split --filter that fails" -l split -- \
	split -l 300 --filter='test $FILE = part.ac && exit 4; cat >$FILE' \
	"$P/numbers" part.
compare "what a filter has open" -l split -- \
	split -n l/3 --filter="$LOOK self; cat >/dev/null" "$P/numbers" part.

suite_asks_lazy=yes
suite_forks_by install
suite_may_spawn install
want 'exited 0' 'stripping'
compare "install --strip-program" -l install -- sh -c \
	'printf "#!/bin/sh\necho stripping\n" >strip; chmod 755 strip
	install -s --strip-program=./strip "$P/numbers" copied && cat copied | wc -l'

suite_asks_lazy=yes
suite_forks_by setsid
want 'exited 3' 'own session'
compare "setsid --fork --wait" -- \
	setsid --fork --wait sh -c \
	'test "$(ps -o sid= -p $$ | tr -d " ")" = $$ && echo own session; exit 3'

suite_asks_lazy=yes
suite_forks_by flock
want 'exited 5' 'locked'
compare "flock" -l flock -- flock lockfile sh -c \
	'echo locked; flock -n lockfile true || echo held; exit 5'
compare "flock, the lock gone afterwards" -- sh -c \
	'for i in 1 2 3 4 5; do flock lockfile echo $i; flock -n lockfile true; echo $?; done'

want 'exited 0' '^A=1'
compare "env" -- env -i A=1 sh -c 'env | grep ^A'
want 'exited 127' 'No such file'
compare "env, not found" -- env /nonexistent/program
want 'exited 0' 'hup ignored'
compare "nohup" -- nohup sh -c 'kill -HUP $$; echo hup ignored'

suite_end
