/*
 * Children that write and then exec, at one place, so that they get to be
 * born committed; all touch the middle of a big mapping. The later ones have
 * the part around it moved, as realloc does: a committed child can't be taken
 * back for a call that fails, so what is known of its site may not split it.
 *
 * Test: -l
 */
#include "t.h"

#include <sys/mman.h>
#include <unistd.h>

enum {
	MIB = 1 << 20,
	BYTES = 16 * MIB,
	PART = 2 * MIB,
	CHILDREN = 10,
	MOVERS = 3,
};

static bool is_moved(const char *to, const char *from)
{
	for (size_t i = 0; i < PART; i += 8)
		if (*(uint64_t *)(to + i) != t_word(from + i))
			return false;
	return to[PART] == 0 && to[2 * PART - 1] == 0;
}

static void child_execs(volatile char *middle, bool moves)
{
	char *from = (char *)middle - PART / 2, *to;

	CHECK(write(1, "", 0) == 0);
	*middle ^= 1;
	*middle ^= 1;
	if (!moves)
		t_exec_exit(5);
	to = mremap(from, PART, 2 * PART, MREMAP_MAYMOVE);
	t_exec_exit(to == MAP_FAILED ? 9 : is_moved(to, from) ? 7 : 8);
}

int main(void)
{
	char *map;
	pid_t pid;

	t_start(64);
	map = t_anon(BYTES);
	for (int i = 0; i < CHILDREN; i++) {
		pid = t_fork();
		if (pid == 0)
			child_execs(map + BYTES / 2, i >= CHILDREN - MOVERS);
		t_reap(pid, "child");
		CHECK(t_intact(map, BYTES));
	}
	return t_end();
}
