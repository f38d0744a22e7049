#!/usr/bin/env bash
# inherit = off in a file: what is started by exec and posix_spawn, by whatever
# name and in whatever child, has LD_PRELOAD without us; the program itself has
# it as it was, and pointers to nowhere are an error, as with libc.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"

conf=$work/conf
cat >"$work/starts.c" <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static char *shown[] = { "starts", "shows", 0 };
static char *nowhere[] = { "A=1", (char *)16, 0 };
static char *me;

/* An environment of its own, in big memory, which a lazy child lacks. */
static char **copied(void)
{
	char *at = mmap(0, 4 << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char **copy = (char **)at, *text = at + (2 << 20);
	size_t n = 0;
	memset(at, 1, 4 << 20);
	for (; environ[n]; n++, text += strlen(text) + 1)
		copy[n] = strcpy(text, environ[n]);
	copy[n] = 0;
	return copy;
}

static void execs(const char *how)
{
	char **other = copied();
	if (!strcmp(how, "execve"))
		execve(me, shown, environ);
	if (!strcmp(how, "other"))
		execve(me, shown, other);
	if (!strcmp(how, "execv"))
		execv(me, shown);
	if (!strcmp(how, "execvp"))
		execvp(me, shown);
	if (!strcmp(how, "execvpe"))
		execvpe(me, shown, other);
	if (!strcmp(how, "execl"))
		execl(me, "starts", "shows", (char *)0);
	if (!strcmp(how, "execle"))
		execle(me, "starts", "shows", (char *)0, other);
	if (!strcmp(how, "fexecve"))
		fexecve(open(me, O_PATH), shown, other);
	if (!strcmp(how, "execveat"))
		execveat(AT_FDCWD, me, shown, other, 0);
	if (!strcmp(how, "nowhere"))
		_exit(execve(me, shown, nowhere) == -1 && errno == EFAULT ? 0 : 9);
	if (!strcmp(how, "page"))
		_exit(execve(me, shown, (char **)4096) == -1 &&
		      errno == EFAULT ? 0 : 9);
	if (!strcmp(how, "null"))
		execve(me, shown, 0);
	if (!strcmp(how, "fails") && execve("/", shown, other) == -1 &&
	    errno == EACCES)
		execve(me, shown, other);
	_exit(8);
}

static pid_t start(const char *child, const char *how)
{
	pid_t pid = -1;
	int error = -1;
	if (!strcmp(child, "fork")) {
		if (!(pid = fork()))
			execs(how);
	} else if (!strcmp(child, "vfork")) {
		if (!(pid = vfork()))
			execs(how);
	} else if (!strcmp(how, "posix_spawn")) {
		error = posix_spawn(&pid, me, 0, 0, shown, environ);
	} else if (!strcmp(how, "posix_spawnp")) {
		error = posix_spawnp(&pid, me, 0, 0, shown, copied());
	} else if (!strcmp(how, "nowhere")) {
		if (posix_spawn(&pid, me, 0, 0, shown, nowhere) != EFAULT)
			exit(7);
		pid = fork();
		if (!pid)
			_exit(0);
	}
	return error > 0 ? -1 : pid;
}

int main(int argc, char **argv)
{
	char *list = getenv("LD_PRELOAD"), *memory;
	char *before = list ? strdup(list) : 0;
	int status = 0;
	if (argc == 2)
		return printf("%s\n", list ? list : "-") < 0;
	me = argv[3];
	memory = malloc(64 << 20);
	memset(memory, 1, 64 << 20);
	for (int i = 0; i < 3; i++) {
		pid_t pid = start(argv[1], argv[2]);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	/* Its own is as it was. */
	if (before && (!getenv("LD_PRELOAD") || strcmp(list, before)))
		return 2;
	return 0;
}
END
cc -O1 -o "$work/starts" "$work/starts.c" || exit 1

a=/nowhere/a.so b=/nowhere/b.so
# finds CHILD HOW VALUE THEN [VAR=VALUE...]: each of three children shows that
finds() {
	local child=$1 how=$2 value=$3 then=$4 got want=
	shift 4
	[ -z "$then" ] || want=$(printf '%s\n' "$then" "$then" "$then")
	got=$(env -i "LD_PRELOAD=$value" "FLATFORK_CONFIG=$conf" \
		FLATFORK_BUDGET_MS=20000 PATH="$PATH" "$@" "$work/starts" \
		"$child" "$how" "$work/starts" 2>/dev/null) ||
		failed "$child $how $*: status $?"
	[ "$got" = "$want" ] || failed "$child $how '$value' $*: $got"
}

printf '[starts]\ninherit = off\n' >"$conf"
for way in FLATFORK_FORK=lazy FLATFORK_FORK=lent FLATFORK_FORK=real; do
	for how in execve other execv execvp execvpe execl execle fexecve \
		execveat fails; do
		finds fork "$how" "$object" - "$way"
		finds fork "$how" "$a:$object $b" "$a:$b" "$way"
	done
	finds fork null "$object" - "$way"
	finds fork nowhere "$object" '' "$way"
	finds fork page "$object" '' "$way"
done
for how in execve other execvp execle fails; do
	finds vfork "$how" "$object" -
	finds vfork "$how" "$object:$a" "$a"
	finds vfork "$how" "$object:$a" "$a" FLATFORK_VFORK=libc
done
finds vfork nowhere "$object" ''
for libc in FLATFORK_SPAWN=auto FLATFORK_SPAWN=libc; do
	finds spawn posix_spawn "$object" - $libc
	finds spawn posix_spawnp "$a $object" "$a" $libc
	finds spawn nowhere "$object" '' $libc
done

# The environment goes before; another program's section is another's; off is
# off; what we are not in is handed on as it is.
finds fork other "$object" "$object" FLATFORK_INHERIT=on
printf '[others]\ninherit = off\n' >"$conf"
finds fork other "$object" "$object"
printf 'flatfork = off\ninherit = off\n' >"$conf"
finds fork other "$object" "$object"
printf 'inherit = on\n' >"$conf"
finds fork other "$object" "$object"
printf 'inherit = off\n' >"$conf"
finds fork other "$object:" -
finds fork other "$object:$a:" "$a:"
# Many variables are handed on as they are.
many=()
for ((i = 0; i < 3000; i++)); do many+=("V$i=$i"); done
finds fork other "$object" "$object" "${many[@]}"
finds fork other "$object" - "${many[@]:0:1500}"

verdict
