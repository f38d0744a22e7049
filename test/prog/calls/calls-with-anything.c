/*
 * A child makes one call many times, with arguments that are right, wrong,
 * absent, at the very end of memory, not to be written or no memory at all.
 * What the kernel says each time is what it says without us. Two children for
 * each call: one has memory wherever it points, though absent, and the other
 * not always, which ends a trial.
 *
 * Test: -l
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	TIMES = 48,
	PAGE = 4096
};

/*
 * n a number, f a descriptor, p a pointer, s a path, 0 zero, z a pointer to
 * zeros, a advice (some of which is for the whole machine, so not all). With ! what it returns, if no error, is not the same each time.
 */
static const struct {
	const char *name;
	int nr;
	const char *types;
} call[] = {
#define C(name, types)                   \
	{                                \
#name, SYS_##name, types \
	}
	C(access, "sn"),
	C(arch_prctl, "np"),
	C(capget, "pp"),
	C(clock_getres, "np"),
	C(clock_gettime, "np"),
	C(epoll_create1, "n"),
	C(eventfd2, "nn"),
	C(faccessat, "fsn"),
	C(fadvise64, "fnnn"),
	C(fcntl, "fn0"),
	C(fstat, "fp"),
	C(fstatfs, "fp"),
	C(futex, "p1n000"),
	C(getcpu, "!pp0"),
	C(getcwd, "pn"),
	C(getdents64, "fpn"),
	C(getgroups, "np"),
	C(getitimer, "np"),
	C(getpeername, "fpp"),
	C(getpriority, "n0"),
	C(getrandom, "pnn"),
	C(getresuid, "ppp"),
	C(getrlimit, "np"),
	C(getrusage, "np"),
	C(getsockname, "fpp"),
	C(getsockopt, "fnnpp"),
	C(gettimeofday, "pp"),
	C(ioctl, "fnp"),
	C(lseek, "fnn"),
	C(lstat, "sp"),
	C(madvise, "pna"),
	C(membarrier, "nnn"),
	C(memfd_create, "sn"),
	C(mprotect, "pn1"),
	C(msync, "pn1"),
	C(newfstatat, "fspn"),
	C(pipe2, "p0"),
	C(poll, "pn0"),
	C(ppoll, "pnz0n"),
	C(prctl, "np000"),
	C(pread64, "fpnn"),
	C(prlimit64, "0n0p"),
	C(pselect6, "npppz0"),
	C(readlink, "spn"),
	C(readlinkat, "fspn"),
	C(readv, "fpn"),
	C(rt_sigaction, "n0pn"),
	C(rt_sigpending, "pn"),
	C(rt_sigprocmask, "n0pn"),
	C(sched_get_priority_max, "n"),
	C(sched_getaffinity, "0np"),
	C(sched_getparam, "0p"),
	C(select, "npppz"),
	C(sigaltstack, "0p"),
	C(socketpair, "nnnp"),
	C(stat, "sp"),
	C(statfs, "sp"),
	C(statx, "fsnnp"),
	C(sysinfo, "p"),
	C(time, "!p"),
	C(timer_create, "npp"),
	C(timer_delete, "n"),
	C(timer_gettime, "np"),
	C(timer_settime, "nnpp"),
	C(times, "!p"),
	C(uname, "p"),
#undef C
};

static char *absent; /* by the MiB */
static char *end;    /* nothing is mapped behind */
static char *constant, *closed;
static int fd[4];
static unsigned long seed;
static bool wild;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)(seed >> 33) % n;
}

static long pointer(void)
{
	switch (wild ? pick(9) : 1) {
	case 0:
		return 0;
	case 1:
	case 2:
	case 3:
		return (long)(absent + (pick(15) << 20) + PAGE - 8);
	case 4:
		return (long)end - (1l << pick(9));
	case 5:
		return (long)constant;
	case 6:
		return (long)closed;
	case 7:
		return 8;
	default:
		return (long)(1ul << 63);
	}
}

static long number(void)
{
	static const long some[] = { 0,	   1,	  2,	    3,		4,
				     5,	   7,	  8,	    16,		100,
				     4096, 65536, 1l << 20, 0x7fffffff, -1 };

	return some[pick(sizeof(some) / sizeof(*some))];
}

static long advice(void)
{
	static const long some[] = { MADV_NORMAL,   MADV_RANDOM,
				     MADV_WILLNEED, MADV_DONTNEED,
				     MADV_HUGEPAGE, MADV_DONTDUMP,
				     MADV_DONTFORK, 9999 };

	return some[pick(sizeof(some) / sizeof(*some))];
}

static long path(void)
{
	static char *const some[] = { "/", "/nonexistent/x", ".",
				      "",  "/dev/null",	     "/proc/self/exe" };
	char *copy;

	if (wild && pick(3) == 0)
		return pointer();
	copy = pick(2) ? end - 20 : absent + (pick(15) << 20) + PAGE - 3;
	strcpy(copy, some[pick(sizeof(some) / sizeof(*some))]);
	return (long)copy;
}

static long argument(char type)
{
	static const struct timespec none;

	switch (type) {
	case 'n':
		return number();
	case 'f':
		return pick(6) < 4 ? fd[pick(4)] : pick(2) ? -1 : 10000;
	case 'p':
		return pointer();
	case 'a':
		return advice();
	case 's':
		return path();
	case 'z':
		return (long)&none;
	default:
		return type - '0';
	}
}

static uint64_t results(size_t i, bool is_wild)
{
	const char *types = call[i].types;
	bool varies = *types == '!';
	uint64_t h = T_HASH0;
	long r, a[6];

	seed = i;
	wild = is_wild;
	types += varies;
	for (int n = 0; n < TIMES; n++) {
		for (int k = 0; k < 6; k++)
			a[k] = k < (int)strlen(types) ? argument(types[k]) : 0;
		r = syscall(call[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		if (r == -1)
			r = -errno;
		else if (varies)
			r = 0;
		h = t_hash(h, &r, sizeof(r));
	}
	return h;
}

int main(void)
{
	const size_t n = sizeof(call) / sizeof(*call);

	t_start(32);
	CHECK(!chdir("/")); /* as long a name each time */
	absent = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(absent != MAP_FAILED);
	for (int i = 0; i < 16; i++)
		memset(absent + ((size_t)i << 20), i % 3, 1 << 20);
	end = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(end != MAP_FAILED && !munmap(end + 2 * PAGE, PAGE));
	end += 2 * PAGE;
	constant =
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	closed =
		mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(constant != MAP_FAILED && closed != MAP_FAILED);
	fd[0] = open("/dev/null", O_RDONLY);
	/* in which nobody makes a file meanwhile */
	fd[1] = open("/proc/sys", O_RDONLY | O_DIRECTORY);
	fd[2] = socket(AF_UNIX, SOCK_STREAM, 0);
	fd[3] = memfd_create("f", 0);
	CHECK(fd[0] >= 0 && fd[1] >= 0 && fd[2] >= 0 && fd[3] >= 0);
	CHECK(!ftruncate(fd[3], 3 * PAGE));
	for (size_t i = 0; i < 2 * n; i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			t_exec_say("%s %lx", call[i / 2].name,
				   results(i / 2, i % 2));
		t_reap(pid, call[i / 2].name);
	}
	for (int i = 0; i < 4; i++)
		close(fd[i]);
	return t_end();
}
