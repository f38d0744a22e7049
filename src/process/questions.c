/*
 * The questions. What is named child_ runs in who asks, in its parent's memory,
 * by raw calls alone.
 */
#include "process/questions.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "arch/arch.h"
#include "host/ground.h"
#include "host/maps.h"
#include "host/signals.h"
#include "host/sys.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#define CLOCK_NONE 0x7f
#define NO_TIMER (-1)
/* No process has memory there. */
#define NOWHERE ((void *)-1)
/* Success that was none. */
#define MADE_UP 1

enum rule {
	EXACT,
	ANY,
	CHOICE,
};

static const struct row {
	const char *words;
	unsigned needs;
	enum rule rule;
	const char *why[4]; /* REFUSED, MADE_UP, KILLED, SILENT */
} row[] = {
#define L FF_NEED_LAZY
#define V FF_NEED_VFORK
#define F FF_NEED_FENCE
#define S FF_NEED_SPAWN
#define I FF_NEED_IDENTITY
#define T FF_NEED_TELL
#define X(id, words, needs, rule, kernel, question)                         \
	{ words,                                                            \
	  needs,                                                            \
	  rule,                                                             \
	  { "seccomp refuses " words, "seccomp makes up success of " words, \
	    "seccomp kills for " words,                                     \
	    "seccomp leaves " words " unanswered" } },
#include "process/asks.def"
#undef X
#undef L
#undef V
#undef F
#undef S
#undef I
#undef T
};

/* What the kernel writes to for a child. */
union buffer {
	siginfo_t info;
	struct stat stat;
	struct statfs fs;
	struct itimerval timer;
	int number;
};

static const struct timespec none;
static const uint32_t never; /* to wait for it has no effect */

bool ff_answer_rules_out(enum ff_ask i, enum ff_answer answer)
{
	switch (row[i].rule) {
	case EXACT:
		return answer != FF_ALLOWED && answer != FF_NOT_ASKED;
	case ANY:
		return answer > FF_REFUSED;
	case CHOICE:
		break;
	}
	return false;
}

/* Results that are an id or a state, as rows have it. */
static long id_or_error(long id)
{
	return id > 0 ? 0 : id == 0 ? MADE_UP : id;
}

static long error_or_none(long rc)
{
	return rc < 0 ? rc : 0;
}

/* An older kernel does not know of it. */
static long none_if_old(long rc)
{
	return rc == -EFAULT || rc == -EINVAL ? 0 : rc >= 0 ? MADE_UP : rc;
}

static siginfo_t *queued(siginfo_t *info)
{
	memset(info, 0, sizeof(*info));
	info->si_code = SI_QUEUE;
	return info;
}

/* Neither to a file nor, by a limit of one byte, to a program. */
static long child_dumps_no_core(void)
{
	/* No kernel says this. */
	struct rlimit limit = { .rlim_cur = 1, .rlim_max = 0 }, now = limit;
	long rc = sys(prlimit64, 0, RLIMIT_CORE, NULL, &limit);

	if (rc < 0)
		return rc;
	if (limit.rlim_cur > limit.rlim_max)
		return MADE_UP;
	limit.rlim_cur = limit.rlim_max > 0;
	rc = sys(prlimit64, 0, RLIMIT_CORE, &limit, NULL);
	if (rc < 0)
		return rc;
	rc = sys(prlimit64, 0, RLIMIT_CORE, NULL, &now);
	return rc == 0 && now.rlim_cur != limit.rlim_cur ? MADE_UP : rc;
}

static long child_ends_with_parent(void)
{
	long rc = sys(prctl, PR_SET_PDEATHSIG, -1, 0, 0, 0);

	if (rc != -EINVAL)
		return rc >= 0 ? MADE_UP : rc;
	return sys(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static volatile bool has_taken;

static void child_handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	has_taken = true;
}

/* A signal is taken, and its handler comes back. */
static long child_returns(void)
{
	const struct ff_sigaction act = {
		.handler = child_handler,
		.flags = SA_SIGINFO | FF_SA_RESTORER,
		.restorer = ff_sigreturn,
		.mask = ~(ff_sigset)0,
	};
	const ff_sigset one = FF_SIG(SIGURG), all = ~(ff_sigset)0;
	long rc = sys(rt_sigaction, SIGURG, &act, NULL, sizeof(one));

	has_taken = false;
	if (rc == 0)
		rc = sys(rt_sigprocmask, SIG_UNBLOCK, &one, NULL, sizeof(one));
	if (rc == 0)
		rc = sys(kill, ff_getpid(), SIGURG);
	if (rc == 0)
		rc = sys(rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	return rc == 0 && !has_taken ? MADE_UP : rc;
}

static long child_takes_none(siginfo_t *info)
{
	const ff_sigset set = FF_SIG(SIGSYS);

	return sys(rt_sigtimedwait, &set, info, &none, sizeof(set));
}

/*
 * With flags that no clone(2) can have both, as they want the same word for
 * what they tell: such a call is nobody's, and a filter that goes by a flag
 * goes by those of the clone that is to be made. An emulator may make one: it
 * ends.
 */
static long child_clones(long flags)
{
	const long me = ff_getpid();
	long rc = sys(clone, flags | CLONE_PIDFD | CLONE_PARENT_SETTID, 0, NULL,
		      NULL, 0);

	while (rc == 0 && ff_getpid() != me)
		sys(exit_group, 0);
	return rc;
}

/* On, with a selector that lets all calls through, and off. */
static long child_dispatches(void)
{
	const char let_all = 0;
	long rc = sys(prctl, PR_SET_SYSCALL_USER_DISPATCH, -1, 0, 0, 0);

	if (rc >= 0)
		return MADE_UP;
	rc = sys(prctl, PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &let_all);
	if (rc == 0)
		rc = sys(prctl, PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0);
	return rc;
}

enum ff_answer ff_child_ask(enum ff_ask which)
{
	union buffer buffer = { .number = 0 }, *b = &buffer;
	long rc = 0, kernel = 0;

	switch (which) {
#define X(id, words, needs, rule, kernels, question) \
	case FF_ASK_##id:                            \
		kernel = (kernels);                  \
		rc = (question);                     \
		break;
#include "process/asks.def"
#undef X
	case FF_ASK_COUNT:
		break;
	}
	if (rc == kernel)
		return FF_ALLOWED;
	return ff_is_error(rc) ? FF_REFUSED : FF_MADE_UP;
}

const char *ff_ask_words(enum ff_ask which)
{
	return row[which].words;
}

unsigned ff_ask_needs(enum ff_ask which)
{
	return row[which].needs;
}

const char *ff_answer_why(enum ff_ask which, enum ff_answer answer)
{
	return row[which].why[answer - FF_REFUSED];
}
