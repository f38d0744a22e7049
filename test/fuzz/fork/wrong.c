/*
 * A fork that is wrong, to be preloaded: fork-fuzz must find out. FUZZ_WRONG
 * says in what. It is from the tenth call of a process on; what stays wrong by
 * itself, in that call alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FIRST = 10,
	PAGE = 4096,
};

static const char *wrong;

/* The biggest memory without a file: private ("rw-p") or shared. */
static char *memory(const char *kind, size_t *ret_bytes)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], rights[8], *at = NULL;
	unsigned long from, to, inode;

	*ret_bytes = 0;
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &from, &to, rights,
			   &inode) == 4 &&
		    !strcmp(rights, kind) && to - from > *ret_bytes &&
		    (inode == 0 || strstr(line, "/dev/zero"))) {
			at = (char *)from;
			*ret_bytes = to - from;
		}
	if (maps)
		fclose(maps);
	return at;
}

static void change(const char *kind, size_t most)
{
	size_t bytes, i;
	char *at = memory(kind, &bytes);

	for (i = bytes / 2; i < bytes && i - bytes / 2 < most; i++)
		at[i] ^= 1;
}

static bool is(const char *what)
{
	return !strcmp(wrong, what);
}

static void block_one(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void be_wrong_in_child(void)
{
	if (is("child-memory"))
		change("rw-p", SIZE_MAX);
	if (is("child-shared"))
		change("rw-s", 1);
	if (is("child-mask"))
		block_one();
	if (is("child-ignores"))
		signal(SIGWINCH, SIG_IGN);
	if (is("child-descriptor"))
		(void)!open("/dev/null", O_RDONLY);
	if (is("child-group"))
		setpgid(0, 0);
	if (is("child-directory"))
		(void)!chdir("/tmp");
	if (is("child-lost"))
		_exit(0);
	errno = is("child-errno") ? ENOLCK : errno;
}

static void be_wrong_in_parent(pid_t (*next)(void), bool first)
{
	size_t bytes;
	char *at;

	if (is("memory") && first)
		change("rw-p", 1);
	if (is("marks") && first) {
		at = memory("rw-p", &bytes) + bytes / 2 / PAGE * PAGE;
		madvise(at, (size_t)2 * PAGE, MADV_DONTFORK);
	}
	if (is("mask"))
		block_one();
	if (is("umask"))
		umask(0123);
	if (is("descriptor"))
		(void)!dup(2);
	if (is("zombie") && next() == 0)
		_exit(0);
	if (is("errno"))
		errno = ENOLCK;
}

__attribute__((visibility("default"))) pid_t fork(void)
{
	static pid_t me;
	static unsigned calls;
	pid_t (*next)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
	pid_t pid;

	calls = getpid() == me ? calls + 1 : 1;
	me = getpid();
	wrong = getenv("FUZZ_WRONG");
	if (!wrong || calls < FIRST)
		return next();
	if (is("error")) {
		errno = EAGAIN;
		return -1;
	}
	pid = next();
	if (pid == 0)
		be_wrong_in_child();
	else
		be_wrong_in_parent(next, calls == FIRST);
	return pid;
}
