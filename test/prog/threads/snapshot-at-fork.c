/*
 * The child's memory is what it was when fork was called, whatever other
 * threads of the parent do before the child has looked: after it has said
 * that it runs, a thread overwrites, unmaps, protects, moves, frees or drops
 * an area, and says so; then the child looks, and execs or ends. Argument:
 * what the thread does.
 *
 * Test: snapshot-at-fork-{write,write-heap,unmap,map-over,protect} {}
 * Test: snapshot-at-fork-{drop,move} {}
 */
#include "t.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	BYTES = 8 << 20
};

static const char *what;
static char *area;
static struct page {
	volatile int runs, changed;
} * shared;

static void change(void)
{
	char *p = area;

	if (!strcmp(what, "write"))
		memset(area, 0x99, BYTES);
	else if (!strcmp(what, "write-heap"))
		memset(t_block(200), 0x99, T_BLOCK);
	else if (!strcmp(what, "unmap"))
		CHECK(!munmap(area, BYTES));
	else if (!strcmp(what, "map-over"))
		p = mmap(area, BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	else if (!strcmp(what, "protect"))
		CHECK(!mprotect(area, BYTES, PROT_NONE));
	else if (!strcmp(what, "drop"))
		CHECK(!madvise(area, BYTES, MADV_DONTNEED));
	else if (!strcmp(what, "move"))
		CHECK(mremap(area, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
			     area + 2 * BYTES) == area + 2 * BYTES);
	else
		t_failed(__FILE__, __LINE__, "a known change");
	CHECK(p == area);
}

static void *changer(void *arg)
{
	(void)arg;
	while (!shared->runs)
		;
	change();
	shared->changed = 1;
	return NULL;
}

/* A fresh area with the pattern, and room behind it to move to. */
static void make_area(void)
{
	area = mmap(NULL, 4 * BYTES, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(area != MAP_FAILED);
	CHECK(!mprotect(area, BYTES, PROT_READ | PROT_WRITE));
	t_fill(area, BYTES);
}

int main(int argc, char **argv)
{
	what = argc > 1 ? argv[1] : "write";
	t_start(64);
	shared = t_shared(4096);
	for (int i = 0; i < 6; i++) {
		pthread_t thread;
		pid_t pid;

		make_area();
		shared->runs = shared->changed = 0;
		CHECK(!pthread_create(&thread, NULL, changer, NULL));
		pid = t_fork();
		if (pid == 0) {
			int good;

			shared->runs = 1;
			while (!shared->changed)
				;
			good = t_intact(area, BYTES);
			good += 2 * t_intact(t_block(200), T_BLOCK);
			if (i % 2)
				_exit(good);
			t_exec_exit(good);
		}
		t_reap(pid, "child of the old memory");
		pthread_join(thread, NULL);
		munmap(area, 4 * BYTES);
		t_fill(t_block(200), T_BLOCK);
	}
	return t_end();
}
