/* Limits that leave little or no room: of processes, queued signals, memory.
 * For the first of them the batch is somebody without rights, alone with his
 * id, some of the time. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const int kinds[] = { RLIMIT_NPROC, RLIMIT_SIGPENDING, RLIMIT_DATA,
			     RLIMIT_AS };

enum {
	KINDS = sizeof(kinds) / sizeof(*kinds),
	FIRST_ID = 61000,
	ROOM = 512 << 20,
	MANY = 64, /* processes that one of these may have */
};

static struct rlimit first[KINDS];

static bool begin(void)
{
	for (int i = 0; i < KINDS; i++)
		getrlimit(kinds[i], &first[i]);
	/* every other of these batches */
	if (getuid() == 0 && around_batch % 2 == 0) {
		uid_t id = FIRST_ID + (uid_t)getpid() % 4000;

		MUST(!chmod(scene_dir, 0777)); /* some states make things */
		MUST(!setgroups(0, NULL) && !setresgid(id, id, id));
		MUST(!setresuid(id, id, id));
	}
	return true;
}

static rlim_t size_now(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return RLIM_INFINITY;
	if (fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages ? (rlim_t)pages * 4096 : RLIM_INFINITY;
}

static void set(int kind, rlim_t soft)
{
	struct rlimit rl = first[kind];

	if (soft < rl.rlim_max)
		rl.rlim_cur = soft;
	setrlimit(kinds[kind], &rl);
}

/* One process more, under this limit. */
static bool fits(rlim_t processes)
{
	pid_t pid;

	set(0, processes);
	pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	setrlimit(kinds[0], &first[0]);
	if (pid == 0)
		syscall(SYS_exit_group, 0);
	while (pid > 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return pid > 0;
}

/* What a child has left counts until it is released, which is behind all that
 * can be seen of its end: the next fork would fail, or not, by chance. */
static rlim_t wait_for_released(void)
{
	static rlim_t least;

	for (int i = 0; i < 200; i++) {
		if (least && fits(least))
			return least;
		if (least)
			usleep(1000);
		else
			break;
	}
	for (least = 1; least < MANY && !fits(least); least++)
		;
	return least;
}

static void before(struct rng *r)
{
	/* who stands in for a parent is a process, too, and may take the place
	 * of a child's child */
	rlim_t processes[] = { 0, 1, 2, 2, 100 };
	/* one would be had by whose signal comes first */
	static const rlim_t queued[] = { 0, 0, 100 };
	static const rlim_t data[] = { 0, 1 << 20, 1 << 30 };
	static rlim_t all;

	/* the same for all children; not near what there is, where what ours
	 * has besides would tell, and what other threads map */
	if (!all)
		all = size_now();

	/* a storm's threads come and go */
	if (rng_percent(r, 50) && !around_has(AROUND_storm)) {
		if (getuid())
			processes[2] = processes[3] = wait_for_released();
		set(0, RNG_PICK(r, processes));
	}
	if (rng_percent(r, 30))
		set(1, RNG_PICK(r, queued));
	if (rng_percent(r, 20))
		set(2, RNG_PICK(r, data));
	if (rng_percent(r, 20) && all != RLIM_INFINITY)
		set(3, rng_percent(r, 50) ? all / 2 : all + ROOM);
}

static uint64_t after(void)
{
	uint64_t h = 1;

	for (int i = 0; i < KINDS; i++) {
		struct rlimit rl;

		getrlimit(kinds[i], &rl);
		h = around_mix(h, rl.rlim_cur);
		setrlimit(kinds[i], &first[i]);
	}
	return h;
}

static long change(struct rng *r)
{
	static const rlim_t to[] = { 0, 1, 2, 100, 1 << 20 };
	struct rlimit rl;
	int kind = RNG_PICK(r, kinds);

	if (getrlimit(kind, &rl))
		return -errno;
	/* a timer is one, and is freed behind the end of who had it */
	if (kind == RLIMIT_SIGPENDING && around_has(AROUND_timers))
		return 0;
	if (kind == RLIMIT_AS)
		rl.rlim_cur = rl.rlim_max;
	else
		rl.rlim_cur = RNG_PICK(r, to);
	return step_result(setrlimit(kind, &rl));
}

static long ask(struct rng *r)
{
	struct rlimit rl;

	if (getrlimit(kinds[rng_below(r, KINDS - 1)], &rl))
		return -errno;
	return (long)rl.rlim_cur;
}

static const struct step steps[] = { QUIET(3, change), QUIET(1, ask), { 0 } };

const struct around around_limits = {
	"limits", 15, begin, before, NULL, after, steps,
};
