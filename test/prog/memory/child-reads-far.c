/*
 * Argument: how many places. The child reads a pattern spread over 2 GiB of
 * mapping, and pages between that nobody ever touched, and tells their hash
 * by the program it execs. Half of it was written through a thread, some of
 * it after the first fork.
 *
 * Test: -l child-reads-far 64
 * Test: child-reads-very-far 2048
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-child-reads-far 64
 */
#include "t.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const size_t spread = 2ul << 30;
static char *base;

static uint64_t hash_places(size_t places)
{
	uint64_t h = T_HASH0;

	for (size_t i = 0; i < places; i++) {
		char *p = base + i * (spread / places);

		h = t_hash(h, p, 4096);
		h = t_hash(h, p + spread / places - 8, 8);
	}
	return h;
}

int main(int argc, char **argv)
{
	size_t places = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	pid_t pid;

	t_start(64);
	base = mmap(NULL, spread, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(base != MAP_FAILED);
	CHECK(!madvise(base, spread, MADV_NOHUGEPAGE));
	for (int round = 0; round < 2; round++) {
		uint64_t h;

		for (size_t i = 0; i < places; i++)
			for (size_t k = 0; k < 4096; k++)
				base[i * (spread / places) + k] =
					(char)(i * 7 + k * 13 + round);
		pid = t_fork();
		if (pid == 0)
			t_exec_say("child: %016llx",
				   (unsigned long long)hash_places(places));
		t_reap(pid, "reader");
		h = hash_places(places);
		printf("parent: %016llx\n", (unsigned long long)h);
	}
	CHECK(!munmap(base, spread));
	return t_end();
}
