/*
 * What libc keeps of a process and its thread, in words that are the same for
 * every way a child is made: what fork leaves is right.
 */
#ifndef LIBC_KEEPS_H
#define LIBC_KEEPS_H

#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's, not libc's, which leaves two out. */
static inline unsigned long kept_mask(void)
{
	unsigned long mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
	return mask;
}

static inline unsigned kept_actions(void)
{
	struct {
		unsigned long handler, flags, restorer, mask;
	} act;
	unsigned sig, handled = 0;

	for (sig = 1; sig <= 64; sig++) {
		act.handler = 0;
		syscall(SYS_rt_sigaction, sig, NULL, &act, 8L);
		if (act.handler > 1)
			handled += sig;
		else if (act.handler)
			handled += 1000 * sig;
	}
	return handled;
}

/* 1: registered, and empty. */
static inline int kept_robust(void)
{
	unsigned long *head = NULL, bytes = 0;

	syscall(SYS_get_robust_list, 0, &head, &bytes);
	return head && bytes == 24 && head[0] == (unsigned long)head &&
	       !head[2];
}

/* Locks name their owner. */
static inline int kept_tid(void)
{
	pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
	int owner;

	pthread_mutex_lock(&checked);
	owner = checked.__data.__owner;
	pthread_mutex_unlock(&checked);
	return owner == syscall(SYS_gettid);
}

/* 1: the kernel keeps it for this thread, or libc wants none. */
static inline int kept_rseq(void)
{
#ifdef RSEQ_SIG
	struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() +
					    __rseq_offset);

	if (!__rseq_size)
		return 1;
	/* the same again is refused where it is so already */
	return syscall(SYS_rseq, area, 32, 0, RSEQ_SIG) < 0 &&
	       (errno == EBUSY || errno == EINVAL || errno == EPERM);
#else
	return 1;
#endif
}

/* What is not as in a new program. */
static inline void change_what_libc_keeps(void (*handler)(int), int ignored)
{
	sigset_t some;

	sigemptyset(&some);
	sigaddset(&some, SIGHUP);
	sigaddset(&some, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &some, NULL);
	signal(SIGUSR1, handler);
	signal(ignored, SIG_IGN);
	t_signals_again();
	errno = 0;
}

static inline void say_what_libc_keeps(const char *who)
{
	const int error = errno;
	stack_t stack;

	sigaltstack(NULL, &stack);
	printf("%s: errno %d, mask %lx, actions %u, robust %d, tid %d, "
	       "rseq %d, altstack %d\n",
	       who, error, kept_mask(), kept_actions(), kept_robust(),
	       kept_tid(), kept_rseq(), stack.ss_flags);
	fflush(stdout);
	errno = error;
}

#endif
