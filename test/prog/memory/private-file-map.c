/*
 * Private mappings of a file, partly rewritten by the parent: the child sees
 * the mixture, its own changes are its own, and reading behind the end of
 * the file is SIGBUS with the program's handler. Then exec.
 *
 * Test:
 */
#include "t.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	BYTES = 8 << 20
};

static sigjmp_buf back;
static volatile int code;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	code = info->si_code;
	siglongjmp(back, 1);
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_bus,
				.sa_flags = SA_SIGINFO };
	int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	uint64_t before;
	char *p;
	pid_t pid;

	t_start(64);
	for (int i = 0; i < BYTES; i += 4096) {
		char page[4096];

		memset(page, i >> 12, sizeof(page));
		CHECK(write(fd, page, sizeof(page)) == sizeof(page));
	}
	p = mmap(NULL, BYTES + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
		 0);
	CHECK(p != MAP_FAILED);
	for (int i = 0; i < BYTES; i += 3 * 4096)
		memset(p + i, 0x5a, 100);
	before = t_hash(T_HASH0, p, BYTES);
	sigaction(SIGBUS, &sa, NULL);
	t_signals_again();
	pid = t_fork();
	if (pid == 0) {
		uint64_t h = t_hash(T_HASH0, p, BYTES);

		memset(p, 1, BYTES);
		if (!sigsetjmp(back, 1))
			(void)*(volatile char *)(p + BYTES + 4097);
		CHECK(!madvise(p, BYTES, MADV_DONTNEED));
		t_exec_say("%s, bus %d, the file's %d",
			   h == before ? "same" : "DIFFERENT", code,
			   p[0] == 0 && p[12288] == 3);
	}
	t_reap(pid, "child");
	CHECK(t_hash(T_HASH0, p, BYTES) == before);
	CHECK(!munmap(p, BYTES + 8192));
	return t_end();
}
