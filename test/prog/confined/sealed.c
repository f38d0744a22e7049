/*
 * What is sealed in a parent (mseal, Linux 6.10) is so in its child: it can't
 * be unmapped, mapped over or protected. Then exec. Argument: by syscall(), or
 * by the name that libc has for it since 2.43.
 *
 * Test: sealed-{raw,named} {}
 */
#include "t.h"

#include <dlfcn.h>
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

static long seal(bool by_name, void *at, size_t bytes)
{
	int (*named)(void *, size_t, unsigned long) = NULL;
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	/* asked of libc: what is in front of it has it everywhere */
	if (!by_name)
		return syscall(SYS_mseal, at, bytes, 0L);
	if (libc && dlsym(libc, "mseal"))
		*(void **)&named = dlsym(RTLD_DEFAULT, "mseal");
	if (!named)
		t_skip("libc has no mseal()");
	return named(at, bytes, 0);
}

int main(int argc, char **argv)
{
	pid_t pid;
	char *m;

	t_start(32);
	pid = t_fork();
	if (pid == 0)
		t_exec_exit(0);
	t_reap(pid, "before");
	m = t_anon(BYTES);
	if (seal(argc > 1 && !strcmp(argv[1], "named"), m, (size_t)BYTES))
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
