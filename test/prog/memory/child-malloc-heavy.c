/*
 * A child that frees the parent's blocks, reallocs them, allocates and frees
 * some tens of MiB of all sizes, checks what it wrote, and execs. The
 * parent's malloc goes on unharmed.
 *
 * Test: -l
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-child-malloc-heavy
 */
#include "t.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BLOCKS = 3000
};

static unsigned char *mine[BLOCKS];
static size_t size[BLOCKS];

static unsigned next(unsigned *s)
{
	*s = *s * 1103515245 + 12345;
	return *s >> 8;
}

static void make(int i, unsigned *s)
{
	size[i] = next(s) % 100 ? next(s) % 9000 + 1 : next(s) % 3000000 + 1;
	mine[i] = malloc(size[i]);
	CHECK(mine[i]);
	memset(mine[i], i & 255, size[i]);
}

static void check(int i)
{
	for (size_t k = 0; k < size[i]; k += 1 + size[i] / 8)
		CHECK(mine[i][k] == (i & 255));
	CHECK(mine[i][size[i] - 1] == (i & 255));
}

static void churn(unsigned seed, int rounds)
{
	for (int r = 0; r < rounds; r++) {
		int i = next(&seed) % BLOCKS;

		check(i);
		if (next(&seed) % 4 == 0) {
			mine[i] = realloc(mine[i], size[i] * 2);
			CHECK(mine[i]);
			memset(mine[i], i & 255, size[i] *= 2);
			if (size[i] < 4000000)
				continue;
		}
		free(mine[i]);
		make(i, &seed);
	}
}

int main(void)
{
	unsigned seed = 7;

	t_start(64);
	for (int i = 0; i < BLOCKS; i++)
		make(i, &seed);
	for (int round = 0; round < 6; round++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			churn(round, 5000);
			for (int i = 0; i < BLOCKS; i++) {
				check(i);
				free(mine[i]);
			}
			for (size_t i = 0; i < t_blocks(); i++)
				free(t_block(i));
			malloc_trim(0);
			t_exec_exit(30 + round);
		}
		churn(round + 100, 300);
		t_reap(pid, "churner");
	}
	for (int i = 0; i < BLOCKS; i++) {
		check(i);
		free(mine[i]);
	}
	return t_end();
}
