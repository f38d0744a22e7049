/*
 * Memory that the kernel may drop, and wipes in children (MAP_DROPPABLE, Linux
 * 6.11), as the state of random generators has to be: a child finds zeros.
 *
 * Test: -l
 */
#include "t.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif

#define BYTES ((size_t)8 << 20)

int main(void)
{
	unsigned char *memory;

	t_start(64);
	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		      MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		t_skip("no droppable memory here");
	for (int i = 0; i < 3; i++) {
		pid_t pid;

		memset(memory, 0x5a, BYTES);
		pid = t_fork();
		if (pid == 0)
			t_exec_say("child: %x %x, others %s", memory[0],
				   memory[(i + 1) * (BYTES / 4)],
				   t_intact(t_area, 4096) ? "kept" : "lost");
		t_reap(pid, "child");
	}
	return t_end();
}
