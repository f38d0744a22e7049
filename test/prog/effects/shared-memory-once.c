/*
 * Argument exec, exit or wait. What the child does to MAP_SHARED memory
 * (anonymous, of a file, memfd, System V) happens exactly once, whether it
 * then execs, ends, or blocks on its parent: nothing may be run again after
 * such a store. The pid it publishes there is the one the parent reaps.
 *
 * Test: -f shared-memory-exec exec
 * Test: shared-memory-{exit,wait} {}
 * Test: -e FLATFORK_FAULT=no-readonly shared-memory-exec-closed exec
 */
#include "t.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

enum {
	TIMES = 12,
	KINDS = 4
};

struct page {
	volatile int count;
	volatile int pid, raw_tid;
	volatile int go;
};

static struct page *map(int fd)
{
	void *p =
		mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "exec";
	struct page *page[KINDS];
	int fd, id, published = 0;

	t_start(64);
	page[0] = t_shared(2 << 20);
	fd = open("file", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, 2 << 20));
	page[1] = map(fd);
	close(fd);
	fd = memfd_create("t", 0);
	CHECK(fd >= 0 && !ftruncate(fd, 2 << 20));
	page[2] = map(fd);
	close(fd);
	id = shmget(IPC_PRIVATE, 2 << 20, 0600);
	CHECK(id >= 0);
	page[3] = shmat(id, NULL, 0);
	CHECK(page[3] != (void *)-1 && !shmctl(id, IPC_RMID, NULL));

	for (int i = 0; i < TIMES; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			struct page *p = page[i % KINDS];

			for (int k = 0; k < KINDS; k++)
				__atomic_add_fetch(&page[k]->count, 1,
						   __ATOMIC_SEQ_CST);
			p->pid = getpid();
			p->raw_tid = gettid();
			if (!strcmp(how, "exit"))
				_exit(7);
			if (!strcmp(how, "wait"))
				while (!p->go)
					;
			t_exec_exit(7);
		}
		page[i % KINDS]->go = 1;
		t_reap(pid, "child");
		page[i % KINDS]->go = 0;
		published += page[i % KINDS]->pid == pid &&
			     page[i % KINDS]->raw_tid == pid;
	}
	for (int k = 0; k < KINDS; k++)
		printf("count %d\n", page[k]->count);
	printf("published %d\n", published);
	return t_end();
}
