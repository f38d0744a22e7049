/* Children that wait, for what their parent does after fork has returned; that
 * stop, spin, sleep; and that ask for children of all kinds. */
#include "around.h"
#include "child.h"
#include "scene.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	BYTES = 100,
};

static int from, to;

static bool begin(void)
{
	int two[2];

	MUST(!pipe2(two, O_CLOEXEC));
	from = scene_out_of_the_way(two[0]);
	to = scene_out_of_the_way(two[1]);
	return true;
}

static void meanwhile(void)
{
	static const char bytes[BYTES];

	MUST(write(to, bytes, BYTES) == BYTES);
}

static uint64_t after(void)
{
	char bytes[BYTES];
	int left = 0;

	if (!ioctl(from, FIONREAD, &left) && left > 0)
		MUST(read(from, bytes, BYTES) == left);
	return (uint64_t)left;
}

static long wait_for_parent(struct rng *r)
{
	struct pollfd p = { from, POLLIN, 0 };
	char c;
	int rc;

	if (rng_percent(r, 50))
		return step_result(read(from, &c, 1));
	while ((rc = poll(&p, 1, 30000)) < 0 && errno == EINTR)
		;
	return step_result(rc);
}

/* SIGSTOP, as others would stop for a terminal. */
static long stop(struct rng *r)
{
	(void)r;
	return step_result(raise(SIGSTOP));
}

static void sleep_for(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* Beyond the budget at times. libc's child, which has none, need not compute
 * for as long. */
static long spin(struct rng *r)
{
	long us = rng_percent(r, 3) ? 130000 : 500;
	struct timespec start, now;

	if (!child_is_ours) {
		sleep_for(us);
		return 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000000 +
		       (now.tv_nsec - start.tv_nsec) / 1000 <
	       us);
	return 0;
}

static long sleep_a_little(struct rng *r)
{
	sleep_for(rng_below(r, 2000));
	return 0;
}

static long ask_for_children(struct rng *r)
{
	static const int flags[] = { 0,	     WUNTRACED,	  WCONTINUED,
				     __WALL, __WNOTHREAD, __WCLONE };
	int how = RNG_PICK(r, flags) | RNG_PICK(r, flags), status;
	siginfo_t info;

	if (rng_percent(r, 60))
		how |= WNOHANG;
	switch (rng_below(r, 5)) {
	case 0:
		return step_result(waitpid(-1, &status, how));
	case 1:
		return step_result(wait3(&status, how, NULL));
	case 2:
		return step_result(wait4(0, &status, how, NULL));
	case 3:
		return step_result(
			waitid(P_ALL, 0, &info, how | WEXITED | WNOWAIT));
	default:
		return step_result(
			waitid(P_PID, (id_t)getpid(), &info, how | WSTOPPED));
	}
}

static const struct step steps[] = {
	STEP(4, wait_for_parent),
	STEP(2, stop),
	QUIET(2, spin),
	STEP(2, sleep_a_little),
	STEP(4, ask_for_children),
	{ 0 },
};

const struct around around_waits = {
	"waits", 25, begin, NULL, meanwhile, after, steps,
};
