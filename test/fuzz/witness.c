/*
 * The program that the fuzzer has started: says all it inherited, fast. A
 * static program without libc, as few pages as it can do with.
 *
 * Runs after exec. It looks before it touches: what it must change to be
 * able to report (limits, a descriptor) it changes after it was noted.
 */
#include "witness.h"

#include "../entry.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct witness me;

static long call(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return rc;
}

#define CALL(nr, a, b, c, d) \
	call(SYS_##nr, (long)(a), (long)(b), (long)(c), (long)(d))

/* gcc makes calls of these. */
void *memset(void *to, int c, unsigned long n);
void *memset(void *to, int c, unsigned long n)
{
	for (volatile char *p = to; n; n--)
		*p++ = (char)c;
	return to;
}

static uint64_t hash_strings(char **strings, int32_t *ret_count)
{
	uint64_t h = 0xcbf29ce484222325u;
	int32_t n = 0;

	for (; strings[n]; n++) {
		for (const char *c = strings[n]; *c; c++)
			h = (h ^ (unsigned char)*c) * 0x100000001b3u;
		h = (h ^ 0xff) * 0x100000001b3u;
	}
	*ret_count = n;
	return h;
}

static void look_at_ids(void)
{
	me.pid = (int32_t)CALL(getpid, 0, 0, 0, 0);
	me.parent = (int32_t)CALL(getppid, 0, 0, 0, 0);
	me.group = (int32_t)CALL(getpgid, 0, 0, 0, 0);
	me.session = (int32_t)CALL(getsid, 0, 0, 0, 0);
	CALL(getresuid, &me.ids[0], &me.ids[1], &me.ids[2], 0);
	CALL(getresgid, &me.ids[3], &me.ids[4], &me.ids[5], 0);
	me.nr_groups =
		(int32_t)CALL(getgroups, WITNESS_GROUPS, me.groups, 0, 0);
}

struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

struct kernel_stack {
	void *sp;
	int32_t flags;
	uint64_t size;
};

static void look_at_signals(void)
{
	struct kernel_action action = { 0, 0, 0, 0 };
	struct kernel_stack stack = { 0, 0, 0 };

	CALL(rt_sigprocmask, 0, 0, &me.blocked, 8);
	CALL(rt_sigpending, &me.pending, 8, 0, 0);
	for (int sig = 1; sig <= 64; sig++) {
		CALL(rt_sigaction, sig, 0, &action, 8);
		if (action.handler == 1)
			me.ignored |= (uint64_t)1 << (sig - 1);
		else if (action.handler)
			me.caught |= (uint64_t)1 << (sig - 1);
	}
	CALL(sigaltstack, 0, &stack, 0, 0);
	me.altstack = stack.flags;
}

static void look_at_settings(void)
{
	me.policy = (int32_t)CALL(sched_getscheduler, 0, 0, 0, 0);
	CALL(sched_getparam, 0, &me.priority, 0, 0);
	me.nice = (int32_t)CALL(getpriority, 0, 0, 0, 0);
	CALL(sched_getaffinity, 0, sizeof(me.affinity), &me.affinity, 0);
	me.umask = (int32_t)CALL(umask, 0, 0, 0, 0);
	CALL(prctl, PR_GET_PDEATHSIG, &me.pdeathsig, 0, 0);
	me.dumpable = (int32_t)CALL(prctl, PR_GET_DUMPABLE, 0, 0, 0);
	me.no_new_privs = (int32_t)CALL(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0);
	me.thp_disable = (int32_t)CALL(prctl, PR_GET_THP_DISABLE, 0, 0, 0);
	me.keepcaps = (int32_t)CALL(prctl, PR_GET_KEEPCAPS, 0, 0, 0);
	me.securebits = (int32_t)CALL(prctl, PR_GET_SECUREBITS, 0, 0, 0);
	me.slack = (int32_t)CALL(prctl, PR_GET_TIMERSLACK, 0, 0, 0);
	CALL(prctl, PR_GET_CHILD_SUBREAPER, &me.subreaper, 0, 0);
	me.personality = (int32_t)CALL(personality, 0xffffffff, 0, 0, 0);
	for (int i = 0; i < WITNESS_LIMITS; i++)
		CALL(prlimit64, 0, i, 0, me.limits[i]);
}

static void note_argument(char **argv)
{
	const char *from = argv[0] ? argv[1] : 0;

	for (int i = 0; from && from[i] && i < WITNESS_SAID - 1; i++)
		me.said[i] = from[i];
}

static void look_at_cwd(void)
{
	char path[4096];
	long n = CALL(getcwd, path, sizeof(path), 0, 0);
	long from = n > WITNESS_CWD ? n - WITNESS_CWD : 0;

	me.cwd_bytes = (int32_t)n;
	for (long i = from; i < n; i++)
		me.cwd[i - from] = path[i];
}

/* Enough descriptors and bytes for the report itself. */
static void lift_limits(void)
{
	static const int which[] = { 1 /* FSIZE */, 7 /* NOFILE */ };

	for (int i = 0; i < 2; i++) {
		uint64_t to[2] = { me.limits[which[i]][1],
				   me.limits[which[i]][1] };

		CALL(prlimit64, 0, which[i], to, 0);
	}
}

static void look_at_fd(int fd)
{
	struct witness_fd *w;
	struct stat st;

	if (me.nr_fds == WITNESS_FDS)
		return;
	w = &me.fds[me.nr_fds++];
	w->fd = fd;
	w->flags = (int32_t)CALL(fcntl, fd, F_GETFD, 0, 0);
	w->status = (int32_t)CALL(fcntl, fd, F_GETFL, 0, 0);
	w->offset = CALL(lseek, fd, 0, 1, 0);
	if (CALL(fstat, fd, &st, 0, 0) == 0) {
		w->mode = (int32_t)st.st_mode;
		w->dev = st.st_dev;
		w->ino = st.st_ino;
	}
}

static void look_at_fds(void)
{
	char buf[4096];
	long dir =
		CALL(openat, -100, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);
	long n;

	if (dir < 0) {
		me.nr_fds = (int32_t)dir;
		return;
	}
	while ((n = CALL(getdents64, dir, buf, sizeof(buf), 0)) > 0) {
		for (long at = 0; at < n;) {
			const char *name = buf + at + 19;
			int fd = 0;

			at += *(unsigned short *)(buf + at + 16);
			if (*name == '.')
				continue;
			for (; *name; name++)
				fd = fd * 10 + *name - '0';
			if (fd != dir)
				look_at_fd(fd);
		}
	}
	CALL(close, dir, 0, 0, 0);
}

static void deliver(void)
{
	char path[4096];
	long n = CALL(readlink, "/proc/self/exe", path, sizeof(path) - 8, 0);
	long fd;

	while (n > 0 && path[n - 1] != '/')
		n--;
	for (int i = 0; i < 7; i++)
		path[n + i] = "report"[i];
	fd = CALL(openat, -100, path, O_RDWR, 0);
	me.complete = 1;
	CALL(pwrite64, fd, &me, sizeof(me), 0);
}

static void start(long *stack)
{
	char **argv = (char **)(stack + 1);

	look_at_ids();
	look_at_signals();
	look_at_settings();
	me.args = hash_strings(argv, &me.argc);
	me.env = hash_strings(argv + stack[0] + 1, &me.envc);
	note_argument(argv);
	look_at_cwd();
	lift_limits();
	look_at_fds();
	deliver();
	for (;;)
		CALL(exit_group, 7, 0, 0, 0);
}
