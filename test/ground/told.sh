#!/usr/bin/env bash
# What a process tells when it ends, of all ways to end in which it can: its
# children, and the places that made them, each once. Who calls daemon() ends
# inside of libc's, behind its child's birth; where that makes none, what was
# told ahead is taken back.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"

cat >"$work/ends.c" <<'END_OF_C'
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
static void child(void)
{
	if (!fork())
		_exit(0);
	wait(0);
}
int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	pid_t pid;
	if (strcmp(how, "daemon") && strcmp(how, "denied"))
		child();
	if (!strcmp(how, "exit"))
		exit(0);
	if (!strcmp(how, "_exit"))
		_exit(0);
	if (!strcmp(how, "quick_exit"))
		quick_exit(0);
	if (!strcmp(how, "errx"))
		errx(0, "e");
	if (!strcmp(how, "exec"))
		execl("/bin/true", "true", (char *)0);
	if (!strcmp(how, "denied"))
		return !daemon(1, 1);
	/* Whoever is left is waited for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = strcmp(how, "daemon") ? 0 : fork();
	if (!pid && !strcmp(how, "daemon"))
		return daemon(1, 1) || (child(), 0);
	while (wait(0) > 0)
		;
	return 0;
}
END_OF_C
cc -w -o "$work/ends" "$work/ends.c" || exit 1

# tells HOW [VAR=VALUE...]: $told is what all its processes told
tells() {
	local how=$1
	shift
	told=$work/told-${how}
	rm -f "$told"
	env "LD_PRELOAD=$object" "FLATFORK_STATS=$told" FLATFORK_LEND=off \
		"$@" "$work/ends" "$how" >/dev/null 2>&1 ||
		failed "$how: status $?"
}
# sum KEY LINES...: of that member, in lines that match all of these
sum() {
	local key=$1 text
	shift
	text=$(cat "$told")
	for line; do
		text=$(grep -F -- "$line" <<<"$text")
	done
	grep -oE "\"$key\":-?[0-9]+" <<<"$text" | cut -d: -f2 |
		awk '{ n += $1 } END { print n + 0 }'
}
# is WHAT WANT HAVE
is() {
	[ "$2" -eq "$3" ] && return
	failed "$1: $3 instead of $2"
	cat "$told"
}

for how in return exit _exit quick_exit errx exec; do
	tells $how
	is "$how: children" 1 "$(sum forks_real)"
	is "$how: of places" 1 "$(sum real '"site":')"
done

# One that makes a daemon, which makes a child.
tells daemon
is "daemon: children" 3 "$(sum forks_real)"
is "daemon: of places" 3 "$(sum real '"site":')"
is "daemon: its place" 1 "$(sum real '"site":' '"call":"daemon"')"
[ "$(grep -c '"call":"daemon".*\["real","its child never execs",1\]' \
	"$told")" -eq 1 ] || failed "daemon: why: $(cat "$told")"
"$FF_BUILD/flatfork" report "$told" | grep -q 'daemon at .*: real 1$' ||
	failed "report: $("$FF_BUILD/flatfork" report "$told")"

# One that fails.
tells denied FLATFORK_FALLBACK=deny:1
is "denied: children" 0 "$(sum forks_real)"
is "denied: of places" 0 "$(sum real '"site":')"
is "denied" 1 "$(sum denied '"site":')"
"$FF_BUILD/flatfork" report "$told" | grep -q 'daemon at .*: denied 1$' ||
	failed "report: $("$FF_BUILD/flatfork" report "$told")"

verdict
