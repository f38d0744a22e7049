/* Kept in static memory: what looks must not change what it looks at. */
#include "keep.h"
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FDS = 1024,
	SIGNALS = 64,
	STACK_BYTES = 40 << 10, /* of a child, with its guard */
};

struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

struct signals {
	uint64_t mask;
	struct kernel_action action[SIGNALS + 1];
	stack_t alternate;
};

struct attributes {
	uid_t uid[3];
	gid_t gid[3];
	int nice, policy, pdeathsig, cancel_state, cancel_type;
	mode_t umask;
	ino_t cwd;
	struct rlimit limit[RLIMIT_NLIMITS];
};

struct fds {
	short flags[FDS]; /* -1: not open */
	ino_t ino[FDS];
};

static struct state {
	struct signals signals;
	struct attributes attributes;
	struct fds fds;
	int dumpable;
	int child; /* what a wait for any says: 0 for one that runs, or -errno */
	size_t mapped;
} before, now;

static size_t allowed = STACK_BYTES;
static int clones = __WALL;

static void look_at_signals(struct signals *s)
{
	int sig;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &s->mask, 8);
	for (sig = 1; sig <= SIGNALS; sig++)
		syscall(SYS_rt_sigaction, sig, NULL, &s->action[sig], 8);
	sigaltstack(NULL, &s->alternate);
}

static void look_at_attributes(struct attributes *a)
{
	struct stat st;
	int i;

	getresuid(&a->uid[0], &a->uid[1], &a->uid[2]);
	getresgid(&a->gid[0], &a->gid[1], &a->gid[2]);
	a->nice = getpriority(PRIO_PROCESS, 0);
	a->policy = sched_getscheduler(0);
	prctl(PR_GET_PDEATHSIG, &a->pdeathsig);
	a->umask = umask(0);
	umask(a->umask);
	a->cwd = stat(".", &st) ? 0 : st.st_ino;
	for (i = 0; i < RLIMIT_NLIMITS; i++)
		getrlimit(i, &a->limit[i]);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &a->cancel_state);
	pthread_setcancelstate(a->cancel_state, NULL);
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &a->cancel_type);
	pthread_setcanceltype(a->cancel_type, NULL);
}

static void look_at_fds(struct fds *f)
{
	struct stat st;
	int fd;

	for (fd = 0; fd < FDS; fd++) {
		f->flags[fd] = (short)fcntl(fd, F_GETFD);
		f->ino[fd] = f->flags[fd] < 0 || fstat(fd, &st) ? 0 : st.st_ino;
	}
}

/* Without the heap, which is malloc's, and the stack. Read in one piece: what
 * allocates here would be seen. */
static size_t look_at_mappings(void)
{
	static char text[64 << 10];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t n = 0, bytes = 0;
	unsigned long from, to;
	char *line, *next;
	ssize_t got;

	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	text[n] = '\0';
	for (line = text; (next = strchr(line, '\n')); line = next + 1) {
		*next = '\0';
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 &&
		    !strstr(line, "[heap]") && !strstr(line, "[stack]"))
			bytes += to - from;
	}
	return bytes;
}

static void look(struct state *s)
{
	memset(s, 0, sizeof(*s));
	look_at_signals(&s->signals);
	look_at_attributes(&s->attributes);
	look_at_fds(&s->fds);
	do
		s->child = (int)inject_wait(-1, NULL, WNOHANG | clones);
	while (s->child == -EINTR);
	s->dumpable = prctl(PR_GET_DUMPABLE);
	s->mapped = look_at_mappings();
}

void keep_allow(size_t bytes)
{
	allowed = bytes;
}

void keep_to_plain_waits(void)
{
	clones = 0;
}

void keep_note(void)
{
	look(&before);
}

const char *keep_changed(void)
{
	look(&now);
	if (now.child != before.child)
		return "a child is left";
	if (memcmp(&before.fds, &now.fds, sizeof(now.fds)))
		return "other descriptors";
	if (memcmp(&before.signals, &now.signals, sizeof(now.signals)))
		return "other signals";
	if (memcmp(&before.attributes, &now.attributes, sizeof(now.attributes)))
		return "other attributes";
	if (before.dumpable != now.dumpable)
		return "another dumpable flag";
	if (now.mapped > before.mapped + allowed)
		return "mappings";
	return NULL;
}
