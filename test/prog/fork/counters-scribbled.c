/*
 * A program that writes over all that flatfork counts of its places, as a
 * stray pointer might, and a worker of another user's that does so with its
 * own: both fork on, at the same places as before, and nothing but the numbers
 * is another.
 *
 * Test: -l
 */
#include "t.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* As src/site/tally.h has it; plain libc has none. */
struct table {
	char mark[8];
	uint32_t layout, generation;
	unsigned char *rows;
	const char *object;
};

static struct table *find(void)
{
	char line[512], kind[8];
	unsigned long start, end;
	struct table *found = NULL;
	FILE *maps = fopen("/proc/self/maps", "r");

	CHECK(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "/libflatfork-preload") ||
		    sscanf(line, "%lx-%lx %7s", &start, &end, kind) != 3 ||
		    kind[1] != 'w')
			continue;
		for (char *at = (char *)start; at + 64 <= (char *)end; at += 8)
			if (!memcmp(at, "ffsites", 8))
				found = (struct table *)at;
	}
	fclose(maps);
	return found;
}

/* All but the keys, or all. */
static void scribble(struct table *table, uint64_t seed, bool keys)
{
	for (size_t i = 0; i < 64 * 1024; i += 8) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (keys || i % 1024 != 0)
			memcpy(table->rows + i, &seed, 8);
	}
	if (keys)
		table->generation = (uint32_t)seed;
}

static void children(void)
{
	for (int i = 0; i < 4; i++) {
		pid_t pid = t_fork();
		int status;

		if (pid == 0 && i < 2)
			t_exec_exit(40 + i);
		if (pid == 0)
			_exit(40 + i);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 40 + i);
	}
}

static int worker(struct table *table)
{
	children();
	if (geteuid() == 0) {
		CHECK(!setgroups(0, NULL));
		CHECK(!setresgid(65534, 65534, 65534));
		CHECK(!setresuid(61234, 61234, 61234));
	}
	if (table)
		scribble(table, 4711, true);
	children();
	return 0;
}

int main(void)
{
	const char *preload = getenv("LD_PRELOAD");
	struct table *table;
	pid_t pid;

	t_start(48);
	children();
	table = find();
	CHECK(!table == !(preload && strstr(preload, "libflatfork")));
	pid = fork();
	if (pid == 0)
		_exit(worker(table));
	t_reap(pid, "worker");
	children();
	for (unsigned i = 0; table && i < 8; i++) {
		scribble(table, i, i % 2);
		children();
	}
	printf("done\n");
	return t_end();
}
