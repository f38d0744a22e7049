#!/bin/bash
# busybox, Debian's dynamic one: its applets start programs by vfork, whose
# child says by a local of its parent why exec failed; its shell forks.
. "$(dirname "$0")/lib.sh"
needs busybox
suite_forks_by busybox
if ! nm -D --undefined-only "$(command -v busybox)" | grep -q ' vfork'; then
	echo "skip: this busybox does not import vfork"
	exit 77
fi

suite_file applets.sh <<'X'
b=busybox
touch f1 f2 f3; mkdir d; printf '1\n2\n3\n4\n5\n' >lines
$b xargs -n 2 echo <lines; echo "xargs $?"
$b xargs -n 1 /nonexistent/program <lines; echo "xargs $?"
$b xargs -n 1 sh -c 'exit 3' <lines; echo "xargs $?"
$b xargs -n 1 sh -c 'exit 255' <lines; echo "xargs $?"
$b xargs -n 1 -P 3 sh -c 'echo $0' <lines | sort
$b xargs -n 1 -I % /bin/echo 'a % b' <lines
$b find . -name 'f*' -exec echo {} \; | sort; echo "find $?"
$b find . -name 'f*' -exec /nonexistent/program {} \; ; echo "find $?"
$b find . -name 'f?' -exec sh -c 'exit 1' \; -print; echo "find $?"
$b find . -name 'f*' -exec echo {} + | tr ' ' '\n' | sort
$b time -f '%x' sh -c 'exit 5'; echo "time $?"
$b time -f '%x' /nonexistent/program; echo "time $?"
$b env A=1 sh -c 'echo $A'; $b env -i sh -c 'exit 4'; echo "env $?"
$b timeout 5 sh -c 'exit 6'; echo "timeout $?"
$b timeout 1 sleep 30; echo "timeout $?"
$b setsid sh -c 'echo setsid'; $b nice -n 3 nice
$b start-stop-daemon -S -x /bin/echo -- started; echo "ssd $?"
$b start-stop-daemon -S -b -m -p "$PWD/pid" -x /bin/sleep -- 60
i=0; while [ ! -s pid ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
$b start-stop-daemon -K -q -p "$PWD/pid"; echo "ssd $?"; rm -f pid
mkdir parts; printf '#!/bin/sh\necho part $1\n' >parts/a; chmod 755 parts/a
cp parts/a parts/b; $b run-parts -a x parts; echo "run-parts $?"
printf 'x\n' | $b awk '{ system("echo system"); "echo pipe" | getline y; print y }'
$b tar -cf t.tar f1 d; gzip t.tar; $b tar -xzf t.tar -O | wc -c
$b tar -xf t.tar.gz --to-command='cat; echo "$TAR_FILENAME"' 2>&1 | head -n 3
$b flock lines echo locked 2>/dev/null; $b which sh >/dev/null; echo $?
rm -f t.tar.gz
"$LOOK" self
X
want 'exited 0' 'a 5 b'
compare "applets" -t 40 -f 's/[0-9]+( .sleep)/N\1/' -- sh "$P/applets.sh"

suite_file shell.sh <<'X'
i=0; big=x; while [ $i -lt 18 ]; do big=$big$big; i=$((i + 1)); done
for j in 1 2 3 4 5 6; do
	/bin/echo "command $j"; /bin/sh -c "exit $j"; echo $?
	/bin/echo "pipe $j" | /bin/cat | tr a-z A-Z
	a=$(/bin/echo sub $j); (exit $j); echo "$? $a"
	/nonexistent/program; echo $?
	echo "$j" | xargs echo xargs
	find . -maxdepth 0 -exec /bin/echo {} \;
	/bin/sh -c "exit $j" & wait $!; echo $?
done
trap 'echo usr1' USR1; sh -c 'kill -USR1 $PPID'
/bin/echo here <<-END | cat
	$(/bin/echo in the document)
END
echo ${#big}
X
want 'exited 0' '262144'
compare "sh" -- busybox sh "$P/shell.sh"
compare "sh -c, often" -- busybox sh -c 'i=0; while [ $i -lt 60 ]; do
	i=$((i + 1)); /bin/true; echo $i | busybox xargs echo; done'

suite_file serves.sh <<'X'
mkdir -p www/cgi-bin
printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\n' >www/cgi-bin/c
echo 'echo "cgi $REQUEST_METHOD $QUERY_STRING"' >>www/cgi-bin/c
chmod 755 www/cgi-bin/c; echo page >www/page
for r in 'page' 'cgi-bin/c?a=1' 'none'; do
	printf 'GET /%s HTTP/1.0\r\n\r\n' "$r" | busybox httpd -i -h www |
		tr -d '\r' | grep -vE '^(Date|Last-Mod|ETag)'
done
X
want 'exited 0' 'cgi GET a=1'
compare "httpd with a CGI program" -- sh "$P/serves.sh"

suite_end
