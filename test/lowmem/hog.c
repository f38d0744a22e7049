/*
 * A process with a lot of memory that starts children when it is told to.
 *
 * hog MAPS MIB TOUCH_MIB CHILDREN KIND NOOP
 *   MAPS adjacent anonymous mappings of MIB each, TOUCH_MIB of them touched.
 *   Then it prints "ready", waits for a line on standard input (whoever tests
 *   tightens the machine meanwhile), starts CHILDREN one after the other,
 *   prints how each ended, and whether its own memory is what it was.
 *   KIND is what a child does:
 *     exec       execs NOOP with status 7
 *     sparse     the same, but the rest of the memory is not accounted for and
 *                has one page touched in each of its page tables
 *     greedy     writes to all of MAPS x MIB, then execs NOOP
 *     killable   offers itself to the OOM killer, then as greedy
 *     hungry     execs this program as `hog eat MIB`
 * hog eat MIB
 *   Offers itself to the OOM killer and takes that much. Ends with status 7.
 *
 * Rule: after "ready" the parent allocates nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define PAGE_TABLE_SPAN ((size_t)2 << 20)
#define CHILD_STATUS "7"
#define CHILD_STATUS_NUMBER 7

static unsigned char *memory;
static size_t memory_bytes;
static size_t touch_bytes;
static int sparse;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "hog: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* First on the OOM killer's list; anybody may raise its own score. Raw system
 * calls only: also called between fork and exec. */
static int offer_to_oom_killer(void)
{
	static const char score[] = "1000";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, score, sizeof(score) - 1);
	close(fd);
	return n < 0 ? -1 : 0;
}

static unsigned char pattern(size_t at)
{
	size_t page = at / PAGE;

	return (unsigned char)(page ^ (page >> 8) ^ (page >> 16) ^ 0x5a);
}

/* The offset of the touched page after the one at @at. */
static size_t next_touched(size_t at)
{
	if (at + PAGE < touch_bytes)
		return at + PAGE;
	if (!sparse)
		return memory_bytes;
	return (at + PAGE_TABLE_SPAN) & ~(PAGE_TABLE_SPAN - 1);
}

/* @maps mappings of @bytes, each right below the one before, so that the
 * kernel makes one area of them. Each is asked for by itself. */
static void map(size_t maps, size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	unsigned char *hole;

	if (sparse)
		flags |= MAP_NORESERVE;
	memory_bytes = maps * bytes;
	hole = mmap(NULL, memory_bytes, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (hole == MAP_FAILED)
		die("reserve");
	for (size_t i = 0; i < maps; i++)
		if (mmap(hole + i * bytes, bytes, PROT_READ | PROT_WRITE, flags,
			 -1, 0) == MAP_FAILED)
			die("mmap");
	memory = hole;
	if (madvise(memory, memory_bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("madvise");
	for (size_t at = 0; touch_bytes && at < memory_bytes;
	     at = next_touched(at))
		memory[at] = pattern(at);
}

static int memory_intact(void)
{
	for (size_t at = 0; touch_bytes && at < memory_bytes;
	     at = next_touched(at))
		if (memory[at] != pattern(at))
			return 0;
	return 1;
}

static void child_runs(const char *kind, char *self, char *noop)
{
	char *noop_argv[] = { noop, CHILD_STATUS, NULL };
	char *eat_argv[] = { self, "eat", "96", NULL };

	if (!strcmp(kind, "killable") && offer_to_oom_killer())
		_exit(120);
	if (!strcmp(kind, "greedy") || !strcmp(kind, "killable"))
		for (size_t at = 0; at < memory_bytes; at += PAGE)
			((volatile unsigned char *)memory)[at]++;
	if (!strcmp(kind, "hungry"))
		execv(self, eat_argv);
	else
		execv(noop, noop_argv);
	_exit(127);
}

static void start_child(long i, const char *kind, char *self, char *noop)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		child_runs(kind, self, noop);
	if (pid < 0) {
		printf("child %ld: fork: %s\n", i,
		       errno == ENOMEM ? "ENOMEM" : strerror(errno));
		return;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	if (WIFSIGNALED(status))
		printf("child %ld: signal %d\n", i, WTERMSIG(status));
	else
		printf("child %ld: status %d\n", i, WEXITSTATUS(status));
}

static int eat(size_t mib)
{
	volatile unsigned char *more;

	if (offer_to_oom_killer())
		return 120;
	more = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (more == MAP_FAILED)
		return 121;
	for (size_t at = 0; at < mib << 20; at += PAGE)
		more[at] = 1;
	return CHILD_STATUS_NUMBER;
}

int main(int argc, char *argv[])
{
	static char out[BUFSIZ];
	const char *kind;
	char line[16];
	long children;

	if (argc == 3 && !strcmp(argv[1], "eat"))
		return eat(strtoul(argv[2], NULL, 10));
	if (argc != 7) {
		fprintf(stderr, "usage: hog MAPS MIB TOUCH_MIB CHILDREN KIND "
				"NOOP\n");
		return 1;
	}
	setvbuf(stdout, out, _IOLBF, sizeof(out));
	kind = argv[5];
	sparse = !strcmp(kind, "sparse");
	children = strtol(argv[4], NULL, 10);
	touch_bytes = strtoul(argv[3], NULL, 10) << 20;
	map(strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10) << 20);
	printf("ready\n");
	if (read(0, line, sizeof(line)) <= 0)
		die("standard input");
	for (long i = 1; i <= children; i++)
		start_child(i, kind, argv[0], argv[6]);
	printf("memory %s\n", memory_intact() ? "intact" : "CHANGED");
	/* waitpid(-1): nothing may be left over */
	printf("left over: %d\n", (int)waitpid(-1, NULL, WNOHANG));
	printf("done\n");
	return 0;
}
