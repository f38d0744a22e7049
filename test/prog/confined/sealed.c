/*
 * What is sealed in a parent (mseal, Linux 6.10) is so in its child: it can't
 * be unmapped, mapped over or protected. Then exec.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

enum {
	BYTES = 8 << 20
};

int main(void)
{
	pid_t pid;
	char *m;

	t_start(32);
	pid = t_fork();
	if (pid == 0)
		t_exec_exit(0);
	t_reap(pid, "before");
	m = t_anon(BYTES);
	if (syscall(SYS_mseal, m, (size_t)BYTES, 0))
		t_skip("no seals");
	for (int i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0) {
			int a = munmap(m, 4096) ? errno : 0;
			int b = mprotect(m, 4096, PROT_READ) ? errno : 0;
			void *p = mmap(m, 4096, PROT_READ,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				       -1, 0);

			t_exec_say("%d %d %d", a, b, p == MAP_FAILED);
		}
		t_reap(pid, "child");
	}
	return t_end();
}
