/*
 * posix_spawn against libc's, by random programs from a process in random
 * states: what comes back, and what the started program finds, must be equal.
 *
 *	spawn-fuzz WITNESS SEED CASES [FIRST]
 *
 * Prints the seed and the counts; of a difference, the case and all that is
 * needed to see it. A case is repeated by its seed and index:
 *	spawn-fuzz WITNESS SEED 1 INDEX
 * Exit: 0 equal, 1 not.
 */
#include "outcome.h"
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BLOCK = 32,   /* cases on one state */
	PATIENCE = 5, /* differences shown */
	RETRIES = 300,
};

static struct {
	unsigned long cases, started, refused, differ;
	unsigned long errors[256];
} * count;

static void set_path(const char *path)
{
	if (path)
		setenv("PATH", path, 1);
	else
		unsetenv("PATH");
}

/* @p by libc and by us, in an order that must not matter. */
static void run_both(struct outcome of[2], const struct program *p,
		     const struct rng *tweak, int first)
{
	for (int turn = 0; turn < 2; turn++) {
		bool mine = (turn ^ first) & 1;
		struct outcome *o = &of[mine];
		struct rng same = *tweak;

		state_tweak(&same);
		if (mine && p->pidfd) {
			outcome_get(o, p, &impl_ours);
		} else {
			struct program q = *p;

			q.pidfd = p->pidfd && impl_libc.pidfd_spawn;
			outcome_get(o, &q, mine ? &impl_ours : &impl_libc);
		}
		o->signals_kept = state_untweak();
	}
	if (p->pidfd && !impl_libc.pidfd_spawn)
		of[0].fd_flags = of[1].fd_flags;
}

static bool is_short(const struct outcome *o)
{
	return o->rc == ENOMEM || o->rc == EAGAIN;
}

static void run_case(uint64_t seed, uint64_t index)
{
	struct outcome of[2] = { 0 }, *libc = &of[0], *ours = &of[1];
	struct rng r = rng_of(seed, index);
	struct program p;

	program_make(&p, &r);
	set_path(p.path);
	/* a descriptor of the process needs a place in the table */
	if (!impl_ours.pidfd_spawn || !state_has_room())
		p.pidfd = false;
	run_both(of, &p, &r, (int)index);
	/* a machine that is short of something for a while decides nothing */
	for (int i = 0; i < RETRIES && is_short(libc) != is_short(ours); i++) {
		usleep(100000);
		run_both(of, &p, &r, (int)index);
	}
	count->cases++;
	count->errors[(unsigned)libc->rc & 255]++;
	*(libc->rc ? &count->refused : &count->started) += 1;
	if (outcome_same(ours, libc, false))
		return;
	if (count->differ++ >= PATIENCE)
		return;
	state_lift_file_size();
	dprintf(scene_log, "seed %lu case %lu differs, ours and libc's:\n",
		(unsigned long)seed, (unsigned long)index);
	outcome_same(ours, libc, true);
	program_print(&p);
	state_print();
}

/* A process of its own: its session, its limits, its ids. */
static void work(uint64_t seed, uint64_t first, uint64_t end)
{
	uint64_t block = UINT64_MAX;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	state_setup();
	for (uint64_t i = first; i < end; i++) {
		if (i / BLOCK != block)
			state_enter(seed, block = i / BLOCK);
		run_case(seed, i);
	}
}

static void print_errors(void)
{
	for (int e = 1; e < 256; e++)
		if (count->errors[e])
			printf("  %s %lu\n", strerrorname_np(e),
			       count->errors[e]);
}

int main(int argc, char **argv)
{
	uint64_t seed, cases, first;
	int status;

	if (argc < 4) {
		fprintf(stderr, "%s WITNESS SEED CASES [FIRST]\n", argv[0]);
		return 2;
	}
	seed = strtoull(argv[2], NULL, 0);
	cases = strtoull(argv[3], NULL, 0);
	first = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;
	impl_find();
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(count != MAP_FAILED);
	scene_make(argv[1]);
	fflush(stdout);
	if (fork() == 0) {
		work(seed, first, first + cases);
		_exit(0);
	}
	MUST(wait(&status) > 0);
	scene_remove();
	printf("seed %lu: %lu cases, %lu started, %lu refused, %lu differ\n",
	       (unsigned long)seed, count->cases, count->started,
	       count->refused, count->differ);
	print_errors();
	if (count->cases != cases)
		printf("ended early, status %#x\n", status);
	return count->cases != cases || count->differ;
}
