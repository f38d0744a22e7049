/* Signals at any moment of a child's life, by somebody else: one that is
 * handled before exec and ignored behind it, stops, and the end. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum plan {
	NOTHING,
	HANDLED,
	STOP,
	KILL,
};

static struct {
	_Atomic unsigned wanted, seen; /* numbers of the child */
	_Atomic unsigned plan, delay_us, sent, taken;
	_Atomic bool done, idle, killed;
} * order;

static pid_t parent;

static void rest(long us)
{
	struct timespec t = { 0, us * 1000 };

	nanosleep(&t, NULL);
}

static void on_signal(int sig)
{
	(void)sig;
	order->taken++;
}

/* Numbers of processes; those of the forker's thread come in order of birth. */
static int list_children(char *text, int bytes)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent,
		 parent);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, (size_t)bytes - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return (int)n;
}

static bool is_among(const char *text, long pid)
{
	char *at = (char *)text;
	long one;

	while ((one = strtol(at, &at, 10)) > 0)
		if (one == pid)
			return true;
	return false;
}

static pid_t find_new(const char *old)
{
	char text[4096], *at = text;
	long one;

	list_children(text, sizeof(text));
	while ((one = strtol(at, &at, 10)) > 0)
		if (!is_among(old, one))
			return (pid_t)one;
	return 0;
}

static void send(int fd, int sig)
{
	syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

static void molest(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return;
	rest(order->delay_us);
	switch (order->plan) {
	case HANDLED:
		order->sent++;
		send(fd, SIGURG);
		break;
	case STOP:
		send(fd, SIGSTOP);
		rest(order->delay_us);
		send(fd, SIGCONT);
		break;
	case KILL:
		order->killed = true;
		send(fd, SIGKILL);
		break;
	default:
		break;
	}
	close(fd);
}

static void molest_on(void *unused)
{
	char old[4096];
	unsigned number = 0;
	pid_t pid;

	(void)unused;
	while (!kill(parent, 0)) {
		order->idle = true;
		while (order->wanted == number && !kill(parent, 0))
			rest(100);
		order->idle = false;
		number = order->wanted;
		list_children(old, sizeof(old));
		order->seen = number;
		while (!(pid = find_new(old)) && !order->done &&
		       !kill(parent, 0))
			rest(20);
		if (pid)
			molest(pid);
	}
}

static bool begin(void)
{
	order = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(order != MAP_FAILED);
	parent = getpid();
	around_apart(molest_on, NULL);
	return true;
}

static void before(struct rng *r)
{
	static const enum plan plans[] = { NOTHING, HANDLED, HANDLED, STOP,
					   KILL };
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESTART };

	MUST(!sigaction(SIGURG, &sa, NULL));
	order->plan = RNG_PICK(r, plans);
	order->delay_us = rng_below(r, rng_percent(r, 50) ? 300 : 4000);
	order->sent = order->taken = 0;
	order->done = order->killed = false;
	if (order->plan == NOTHING)
		return;
	order->wanted++;
	while (order->seen != order->wanted)
		rest(50);
}

static uint64_t after(void)
{
	order->done = true;
	while (!order->idle)
		rest(50);
	return order->taken > order->sent;
}

bool around_kills(void)
{
	return order && order->plan == KILL;
}

bool around_has_killed(void)
{
	return order && order->killed;
}

bool around_stops(void)
{
	return order && order->plan == STOP;
}

static long ask(struct rng *r)
{
	struct sigaction sa;

	(void)r;
	if (sigaction(SIGURG, NULL, &sa))
		return step_result(-1);
	return sa.sa_handler == on_signal;
}

static const struct step steps[] = { QUIET(1, ask), { 0 } };

const struct around around_storm = {
	"storm", 15, begin, before, NULL, after, steps,
};
