/* A program that is slow to exec: somebody has a lease on it, which whoever
 * opens it waits for. Beyond the budget at times. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
	_Atomic unsigned wanted, leased; /* numbers of the child */
	_Atomic unsigned delay_us;
} * order;

static char program[96];
static pid_t parent;

static void rest(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

/* While it is wanted the lease is held, and given up late. */
static void lease_on(void *unused)
{
	const struct timespec a_while = { 0, 2000000 };
	int fd = open(program, O_RDONLY | O_CLOEXEC);
	unsigned number = 0;
	sigset_t set;

	(void)unused;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGIO, SIG_DFL);
	while (!kill(parent, 0)) {
		if (number != order->wanted &&
		    !fcntl(fd, F_SETLEASE, F_WRLCK)) {
			number = order->wanted;
			order->leased = number;
		}
		if (fcntl(fd, F_GETLEASE) == F_WRLCK &&
		    sigtimedwait(&set, NULL, &a_while) < 0)
			continue;
		if (number == order->wanted && fcntl(fd, F_GETLEASE) != F_UNLCK)
			rest(order->delay_us);
		fcntl(fd, F_SETLEASE, F_UNLCK);
		rest(100);
	}
}

static bool begin(void)
{
	order = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(order != MAP_FAILED);
	/* a file that nobody else has open, or it is not leased */
	snprintf(program, sizeof(program), "%s/slow/witness", scene_dir);
	parent = getpid();
	around_apart(lease_on, NULL);
	return true;
}

static void before(struct rng *r)
{
	static const unsigned delays[] = { 0, 200, 1000, 4000, 20000 };

	order->delay_us = rng_percent(r, 4) ? 130000 : RNG_PICK(r, delays);
	around_program = rng_percent(r, 60) ? program : NULL;
	order->wanted++;
	/* where nobody may have one, it is not slow */
	for (int i = 0; i < 500 && order->leased != order->wanted; i++)
		rest(200);
}

static long look(struct rng *r)
{
	struct stat st;
	int fd;

	if (rng_percent(r, 60))
		return step_result(stat(program, &st));
	do
		fd = open(program, O_RDONLY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? step_result(fd) : step_result(close(fd));
}

static const struct step steps[] = { QUIET(1, look), { 0 } };

const struct around around_slow = {
	"slow", 15, begin, before, NULL, NULL, steps,
};
