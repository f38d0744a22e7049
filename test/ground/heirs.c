/*
 * heirs CHILD HOW PROGRAM: starts three children that show their LD_PRELOAD, by
 * a call that HOW names, in a child that CHILD names, or by a spawn, and looks
 * whether its own is as it was. PROGRAM is this program.
 */
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
static char *shown[] = { "heirs", "shows", 0 };
static char *nowhere[] = { "A=1", (char *)16, 0 };
static char *me;
static char **other;

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
		execl(me, "heirs", "shows", (char *)0);
	if (!strcmp(how, "execle"))
		execle(me, "heirs", "shows", (char *)0, other);
	if (!strcmp(how, "fexecve"))
		fexecve(open(me, O_PATH), shown, other);
	if (!strcmp(how, "execveat"))
		execveat(AT_FDCWD, me, shown, other, 0);
	if (!strcmp(how, "nowhere"))
		_exit(execve(me, shown, nowhere) == -1 && errno == EFAULT ? 0 :
									    9);
	if (!strcmp(how, "page"))
		_exit(execve(me, shown, (char **)4096) == -1 &&
				      errno == EFAULT ?
			      0 :
			      9);
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
		error = posix_spawnp(&pid, me, 0, 0, shown, other);
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
	other = copied();
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
