/* Fork handlers: they run once each, as the program that forks would have
 * them run, with signals and other threads as they are. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned prepared, in_parent, in_child;
static unsigned taken, taken_at_once;
static uint64_t mask_seen;
static bool is_asked, stops_world;
static sem_t asked, answered;
static pid_t parent;

static void on_signal(int sig)
{
	(void)sig;
	taken++;
}

/* Another thread has something to do that takes every thread. */
static void *obey(void *arg)
{
	for (;;) {
		while (sem_wait(&asked))
			;
		(void)!setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1);
		sem_post(&answered);
	}
	return arg;
}

static void prepare(void)
{
	unsigned was = taken;
	sigset_t set, before;
	int error = errno;

	prepared++;
	if (!is_asked)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMAX - 3);
	pthread_sigmask(SIG_UNBLOCK, &set, &before);
	raise(SIGRTMAX - 3);
	taken_at_once += taken - was;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	mask_seen = around_mix(1, (uint64_t)sigismember(&before, SIGTTOU));
	free(malloc(100));
	/* whose thread is not in children */
	if (stops_world && getpid() == parent) {
		sem_post(&asked);
		while (sem_wait(&answered))
			;
	}
	errno = error;
}

static void after_in_parent(void)
{
	in_parent++;
}

static void after_in_child(void)
{
	in_child++;
}

static bool begin(void)
{
	pthread_t thread;
	sigset_t set, was;

	parent = getpid();
	MUST(!sem_init(&asked, 0, 0) && !sem_init(&answered, 0, 0));
	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, &was);
	MUST(!pthread_create(&thread, NULL, obey, NULL));
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return !pthread_atfork(prepare, after_in_parent, after_in_child);
}

static void before(struct rng *r)
{
	struct sigaction sa = { .sa_handler = on_signal };

	MUST(!sigaction(SIGRTMAX - 3, &sa, NULL));
	prepared = in_parent = in_child = taken = taken_at_once = 0;
	stops_world = rng_percent(r, 50);
	is_asked = true;
}

static uint64_t after(void)
{
	uint64_t h = around_mix(prepared, in_parent);

	is_asked = false;
	h = around_mix(h, in_child);
	h = around_mix(h, taken);
	return around_mix(around_mix(h, taken_at_once), mask_seen);
}

static long ask(struct rng *r)
{
	(void)r;
	return prepared * 10000 + in_parent * 1000 + in_child * 100 +
	       taken * 10 + taken_at_once;
}

static const struct step steps[] = { QUIET(1, ask), { 0 } };

const struct around around_handlers = {
	"handlers", 15, begin, before, NULL, after, steps,
};
