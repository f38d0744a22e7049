/* Signals: actions, masks, stacks, timers; some that are taken. */
#include "state.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t taken;

/* The storm's comes at any time. */
static void on_signal(int sig)
{
	if (sig != SIGURG)
		taken += sig;
}

static long change_action(struct rng *r)
{
	struct sigaction was, act = { .sa_handler = on_signal };
	int sig = (int)rng_below(r, 67);
	long kept;

	if (rng_percent(r, 60))
		act.sa_handler = rng_percent(r, 50) ? SIG_IGN : SIG_DFL;
	if (rng_percent(r, 30))
		act.sa_flags = SA_RESTART | SA_NODEFER | SA_RESETHAND;
	if (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE)
		act.sa_flags = SA_RESETHAND;
	sigfillset(&act.sa_mask);
	if (sigaction(sig, rng_percent(r, 80) ? &act : NULL, &was))
		return -errno;
	kept = was.sa_handler == SIG_IGN ? 1 :
	       was.sa_handler == SIG_DFL ? 2 :
					   3;
	return kept * 1000 + (was.sa_flags & 0xff);
}

static long change_mask(struct rng *r)
{
	static const int hows[] = { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, 99 };
	uint64_t bits = rng_next(r);
	sigset_t set, was;

	/* a terminal must not stop it */
	bits |= (uint64_t)1 << (SIGTTOU - 1) | (uint64_t)1 << (SIGTTIN - 1);
	/* nearly nobody blocks these */
	if (rng_percent(r, 80))
		bits &= ~((uint64_t)1 << (SIGSEGV - 1) |
			  (uint64_t)1 << (SIGSYS - 1));
	sigemptyset(&set);
	sigemptyset(&was);
	memcpy(&set, &bits, sizeof(bits));
	taken = 0;
	if (sigprocmask(RNG_PICK(r, hows), rng_percent(r, 85) ? &set : NULL,
			&was))
		return -errno;
	memcpy(&bits, &was, sizeof(bits));
	return (long)(bits * 31 + (uint64_t)taken);
}

/* None whose default is to stop. */
static const int sendable[] = { SIGUSR1, SIGUSR2,  SIGCHLD, SIGIO,
				SIGPROF, SIGWINCH, SIGALRM, SIGHUP };

static long send_itself(struct rng *r)
{
	int sig = RNG_PICK(r, sendable);
	struct sigaction now;
	sigset_t pending;
	long rc;

	/* those that would end it are for the end */
	sigaction(sig, NULL, &now);
	if (now.sa_handler == SIG_DFL && sig != SIGCHLD && sig != SIGWINCH)
		return 0;
	taken = 0;
	switch (rng_below(r, 3)) {
	case 0:
		rc = kill(getpid(), sig);
		break;
	case 1:
		rc = sigqueue(getpid(), sig, (union sigval){ 0 });
		break;
	default:
		rc = raise(sig);
	}
	sigemptyset(&pending);
	sigpending(&pending);
	return rc * 10000 + taken * 10 + sigismember(&pending, sig);
}

static long ask_pending(struct rng *r)
{
	uint64_t bits = 0;
	sigset_t set;

	(void)r;
	sigemptyset(&set);
	if (sigpending(&set))
		return -errno;
	/* comes at any time, where there is a storm */
	sigdelset(&set, SIGURG);
	sigdelset(&set, SIGCONT);
	memcpy(&bits, &set, sizeof(bits));
	return (long)bits;
}

static long probe(struct rng *r)
{
	return step_result(kill(rng_percent(r, 50) ? getpid() : getppid(), 0));
}

static char own_stack[65536];

static long change_stack(struct rng *r)
{
	stack_t was = { 0 },
		now = { .ss_sp = own_stack,
			.ss_size =
				rng_percent(r, 80) ? sizeof(own_stack) : 100 };

	if (rng_percent(r, 20))
		now.ss_flags = SS_DISABLE;
	if (sigaltstack(rng_percent(r, 70) ? &now : NULL, &was))
		return -errno;
	return was.ss_flags * 10 + (was.ss_sp == own_stack);
}

static long set_timer(struct rng *r)
{
	struct itimerval t = { .it_value.tv_sec = 1000 }, was = { 0 };

	if (rng_percent(r, 30))
		return (long)alarm(rng_percent(r, 50) ? 2000 : 0) > 0;
	if (setitimer(rng_percent(r, 50) ? ITIMER_REAL : ITIMER_PROF, &t, &was))
		return -errno;
	return was.it_value.tv_sec > 0;
}

/* In plain fork's child the handler has run by then. */
static long wait_for_timer(struct rng *r)
{
	struct itimerval soon = { .it_value.tv_usec = 2000 };
	struct timespec start, now;
	struct sigaction act;

	(void)r;
	sigaction(SIGALRM, NULL, &act);
	if (act.sa_handler == SIG_DFL)
		return 0;
	taken = 0;
	if (setitimer(ITIMER_REAL, &soon, NULL))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec -
		       start.tv_nsec <
	       10000000);
	getppid();
	return taken;
}

static long wait_for_none(struct rng *r)
{
	return step_result(waitpid(-1, NULL, rng_percent(r, 50) ? WNOHANG : 0));
}

const struct step steps_signals[] = {
	QUIET(8, change_action), QUIET(8, change_mask),
	STEP(1, send_itself),	 QUIET(3, ask_pending),
	STEP(2, probe),		 QUIET(3, change_stack),
	QUIET(2, set_timer),	 STEP(1, wait_for_none),
	STEP(1, wait_for_timer), { 0 },
};
