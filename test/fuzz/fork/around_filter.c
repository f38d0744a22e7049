/* Filters of system calls: one that another thread puts all threads under
 * while one forks, once in a batch; and those of children. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static sem_t wanted;
static unsigned left; /* children until then */
static long delay_us;

/* All is allowed, but for one call that nobody makes. */
static long filter(unsigned flags, unsigned call)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { sizeof(f) / sizeof(*f), f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

static void *put_all_under_it(void *arg)
{
	struct timespec t = { 0, 0 };

	while (sem_wait(&wanted))
		;
	t.tv_nsec = delay_us * 1000;
	nanosleep(&t, NULL);
	/* some states have no right to it: then there is none */
	filter(SECCOMP_FILTER_FLAG_TSYNC, SYS_vhangup);
	return arg;
}

static bool begin(void)
{
	struct rng r = { around_batch };
	pthread_t thread;
	sigset_t set, was;

	left = rng_below(&r, 160);
	delay_us = rng_below(&r, 2000);
	MUST(!sem_init(&wanted, 0, 0));
	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, &was);
	MUST(!pthread_create(&thread, NULL, put_all_under_it, NULL));
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return true;
}

static void before(struct rng *r)
{
	(void)r;
	if (left-- == 0)
		sem_post(&wanted);
}

static long have_one(struct rng *r)
{
	long rc = step_result(filter(0, SYS_getpriority));

	(void)r;
	return rc * 1000 + step_result(syscall(SYS_getpriority, 0, 0));
}

static long ask(struct rng *r)
{
	(void)r;
	return step_result(syscall(SYS_seccomp, 99, 0, NULL));
}

static const struct step steps[] = {
	STEP(1, have_one),
	STEP(2, ask),
	{ 0 },
};

const struct around around_filter = {
	"filter", 8, begin, before, NULL, NULL, steps,
};
