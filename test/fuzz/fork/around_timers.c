/* Timers: of the parent alone, and still running when the child is gone. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static timer_t timer[2];

static bool begin(void)
{
	struct itimerspec far = { .it_value.tv_sec = 100000 };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGRTMIN + 5 };

	for (int i = 0; i < 2; i++) {
		if (timer_create(i ? CLOCK_REALTIME : CLOCK_MONOTONIC, &e,
				 &timer[i]))
			return false;
		MUST(!timer_settime(timer[i], 0, &far, NULL));
		e.sigev_notify = SIGEV_NONE;
	}
	return true;
}

static void before(struct rng *r)
{
	struct itimerval far = { .it_value.tv_sec = 100000 }, none = { 0 };

	for (int i = ITIMER_REAL; i <= ITIMER_PROF; i++)
		setitimer(i, rng_percent(r, 60) ? &far : &none, NULL);
}

static uint64_t after(void)
{
	struct itimerval none = { 0 }, was;
	struct itimerspec now;
	uint64_t h = 1;

	for (int i = 0; i < 2; i++)
		h = around_mix(h, timer_gettime(timer[i], &now) == 0 &&
					  now.it_value.tv_sec > 50000);
	for (int i = ITIMER_REAL; i <= ITIMER_PROF; i++) {
		setitimer(i, &none, &was);
		h = around_mix(h, (uint64_t)(was.it_value.tv_sec > 50000));
	}
	return h;
}

static long ask(struct rng *r)
{
	struct itimerval now;
	struct itimerspec left;

	if (rng_percent(r, 50))
		return step_result(
			timer_gettime(timer[rng_below(r, 2)], &left));
	if (getitimer((int)rng_below(r, 3), &now))
		return -errno;
	return now.it_value.tv_sec > 50000;
}

static long change(struct rng *r)
{
	struct itimerspec soon = { .it_value.tv_sec = 70000 };
	struct itimerval far = { .it_value.tv_sec = 70000 };
	timer_t which = timer[rng_below(r, 2)];

	switch (rng_below(r, 3)) {
	case 0:
		return step_result(timer_settime(which, 0, &soon, NULL));
	case 1:
		return step_result(timer_delete(which));
	default:
		return step_result(setitimer((int)rng_below(r, 3), &far, NULL));
	}
}

static long have_one(struct rng *r)
{
	struct itimerspec soon = { .it_value.tv_nsec = 100000 };
	struct sigevent e = { .sigev_notify = SIGEV_NONE };
	struct itimerspec left;
	timer_t mine;

	if (timer_create(CLOCK_MONOTONIC, &e, &mine))
		return -errno;
	if (rng_percent(r, 50))
		soon.it_value.tv_sec = 1000;
	if (timer_settime(mine, 0, &soon, NULL))
		return -errno;
	if (timer_gettime(mine, &left))
		return -errno;
	return rng_percent(r, 50) ? step_result(timer_delete(mine)) :
				    left.it_value.tv_sec > 900;
}

static const struct step steps[] = {
	QUIET(3, ask),
	STEP(3, change),
	STEP(2, have_one),
	{ 0 },
};

const struct around around_timers = {
	"timers", 25, begin, before, NULL, after, steps,
};
