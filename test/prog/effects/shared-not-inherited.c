/*
 * Shared memory that the program keeps from its children (MADV_DONTFORK): a
 * whole mapping, the end, the beginning and the middle of others. The rest of
 * these is the children's, and is written once.
 */
#include "t.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	PAGES = 8,
	PIECES = 4,
	CHILDREN = 4
};

static const struct {
	int from, to;
} kept[PIECES] = { { 0, PAGES }, { 4, PAGES }, { 0, 4 }, { 3, 5 } };

static unsigned char *piece[PIECES];

static void write_to_all(void)
{
	for (int i = 0; i < PIECES; i++)
		for (int page = 0; page < PAGES; page++)
			if (page < kept[i].from || page >= kept[i].to)
				piece[i][page * PAGE]++;
}

static void count(void)
{
	for (int i = 0; i < PIECES; i++) {
		for (int page = 0; page < PAGES; page++)
			printf(" %d", piece[i][page * PAGE]);
		printf("\n");
	}
}

int main(void)
{
	t_start(64);
	for (int i = 0; i < PIECES; i++) {
		piece[i] = t_shared((size_t)PAGES * PAGE);
		CHECK(!madvise(piece[i] + (ptrdiff_t)kept[i].from * PAGE,
			       (size_t)(kept[i].to - kept[i].from) * PAGE,
			       MADV_DONTFORK));
	}
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			t_exec_exit(i);
		t_reap(pid, "execs");
	}
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			write_to_all();
			t_exec_exit(i);
		}
		t_reap(pid, "writes");
	}
	count();
	for (int i = 0; i < PIECES; i++)
		CHECK(!munmap(piece[i], (size_t)PAGES * PAGE));
	return t_end();
}
