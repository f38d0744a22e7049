/*
 * Forks under tight limits: a full descriptor table, one free entry,
 * RLIMIT_NOFILE lowered below open descriptors, RLIMIT_AS just above what is
 * there, a small RLIMIT_STACK, RLIMIT_FSIZE 0, RLIMIT_CORE, RLIMIT_NPROC
 * (EAGAIN). The limits hold in the child as ever. Children exec.
 *
 * Test: -f
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rlimit old[RLIMIT_NLIMITS];

static void limit(int which, rlim_t value)
{
	struct rlimit rl = { value, old[which].rlim_max };

	CHECK(!setrlimit(which, &rl));
}

static unsigned long vm_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	CHECK(f && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	return pages * 4096;
}

static void looks(const char *what)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		int good = t_intact(t_area, t_area_bytes);

		t_block(5)[0] ^= 1;
		/* the program that comes needs some for its libraries */
		setrlimit(RLIMIT_NOFILE, &old[RLIMIT_NOFILE]);
		close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
		t_exec_exit(20 + good);
	}
	t_reap(pid, what);
}

static void tables(void)
{
	int fd;

	limit(RLIMIT_NOFILE, 64);
	do
		fd = dup(0);
	while (fd >= 0);
	CHECK(errno == EMFILE);
	looks("full table");
	close(63);
	looks("one entry free");
	CHECK(dup(0) == 63);
	limit(RLIMIT_NOFILE, 3);
	looks("limit below the open ones");
	limit(RLIMIT_NOFILE, old[RLIMIT_NOFILE].rlim_cur);
	close_range(3, 63, 0);
}

static void address_space(void)
{
	pid_t pid;

	limit(RLIMIT_AS, vm_bytes() + (1 << 20));
	looks("address space full");
	pid = t_fork();
	if (pid == 0) {
		void *a = mmap(NULL, 32 << 20, PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int first = a == MAP_FAILED ? errno : 0;

		munmap(t_area, t_area_bytes);
		a = mmap(NULL, t_area_bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		t_exec_say("mmap %d, after munmap %d", first, a != MAP_FAILED);
	}
	t_reap(pid, "maps under the limit");
	limit(RLIMIT_AS, old[RLIMIT_AS].rlim_cur);
	limit(RLIMIT_DATA, 1 << 20);
	looks("data limit");
	limit(RLIMIT_DATA, old[RLIMIT_DATA].rlim_cur);
}

static void others(void)
{
	pid_t pid;

	limit(RLIMIT_STACK, 256 << 10);
	looks("small stack");
	limit(RLIMIT_STACK, old[RLIMIT_STACK].rlim_cur);
	limit(RLIMIT_MEMLOCK, 0);
	looks("no locked memory");
	limit(RLIMIT_SIGPENDING, 0);
	looks("no queued signals");
	limit(RLIMIT_SIGPENDING, old[RLIMIT_SIGPENDING].rlim_cur);
	/* no process more for a user that has one already */
	if (getuid() == 0) {
		pid = t_fork();
		if (pid == 0) {
			struct rlimit one = { 1, 1 };

			CHECK(!setresuid(61234, 61234, 61234));
			CHECK(!setrlimit(RLIMIT_NPROC, &one));
			errno = 0;
			pid = fork();
			if (pid == 0)
				_exit(0);
			t_exec_say("fork over the limit: %d, errno %d", pid > 0,
				   pid < 0 ? errno : 0);
		}
		t_reap(pid, "too many processes");
	}
	t_signals_again();
}

int main(void)
{
	for (int i = 0; i < RLIMIT_NLIMITS; i++)
		getrlimit(i, &old[i]);
	t_start(64);
	looks("no limit");
	tables();
	address_space();
	others();
	return t_end();
}
