/*
 * Memory that is shared, in the pages around the thread's control block: what
 * a child writes there before it writes to a descriptor and execs is there
 * once.
 *
 * Test:
 */
#include "t.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum {
	PAGE = 4096,
	AROUND = 4, /* pages */
};

static volatile int *counter[2 * AROUND];
static int counters;

static void share_page(uintptr_t at)
{
	void *p = mmap((void *)at, PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == (void *)at)
		counter[counters++] = p;
	else if (p != MAP_FAILED)
		munmap(p, PAGE);
}

int main(void)
{
	uintptr_t near =
		(uintptr_t)__builtin_thread_pointer() & ~(uintptr_t)(PAGE - 1);
	int status, wrong = 0;

	t_start(32);
	for (int i = 1 - AROUND; i < AROUND; i++)
		share_page(near + (uintptr_t)(i * PAGE));
	/* Other objects may lie all around: then where there is room. */
	if (!counters)
		counter[counters++] = t_shared(PAGE);
	for (int i = 0; i < counters; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			++*counter[i];
			if (write(STDOUT_FILENO, "", 0) < 0)
				_exit(9);
			t_exec_exit(3);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 3 << 8);
		wrong += *counter[i] != 1;
	}
	printf("%d wrong\n", wrong);
	return t_end();
}
