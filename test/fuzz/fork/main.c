/*
 * fork against libc's, by random children of a process in random states: what
 * the child was answered, what the program it became finds, what the parent
 * sees of it and has left, must be equal.
 *
 *	fork-fuzz WITNESS SEED CASES [FIRST [AROUND,...]]
 *
 * Prints the seed and the counts, also when it is ended by SIGTERM or SIGINT;
 * of a difference, the case and all that is needed to see it. Where more than
 * a batch is asked for, a case looks at an eighth of the parent's memory, and
 * the end of its batch at all: what "memory kept" is about may have happened a
 * few cases before. A case is repeated by its seed and index; with what was
 * learnt of its place before, from the hundred that it is in:
 *	fork-fuzz WITNESS SEED 1 INDEX
 *	fork-fuzz WITNESS SEED 100 INDEX/100*100
 * AROUND names subjects of around.h: those, instead of what the batch would
 * have; "none" is none.
 * Exit: 0 equal, 1 not, or not all of it.
 */
#include "around.h"
#include "child.h"
#include "ending.h"
#include "marks.h"
#include "scene.h"
#include "state.h"
#include "stuck.h"
#include "world.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BLOCK = 25,   /* cases on one state */
	BATCH = 100,  /* cases of one process, which learns */
	PATIENCE = 5, /* differences shown */
	STUCK = 60,   /* seconds without a case */
	ERRNO_BEFORE = 95,
	THREADED = 4,	 /* one batch in so many has a second thread */
	BIG = 8,	 /* and one in so many has more memory */
	PROGRESS = 5000, /* cases from line to line */
};

static const char *around_names; /* NULL: as the batch has it */
static bool thorough;		 /* all memory, in each case */
static volatile sig_atomic_t ended_by;

static struct {
	volatile unsigned long cases;
	unsigned long execs, differ;
} * count;

typedef pid_t (*fork_function)(void);
static fork_function libc_fork;

/* Places that fork: what is learnt is learnt of a place. */
#define TEN(X, n) \
	X(n##0)   \
	X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7) X(n##8) X(n##9)
#define PLACES(X) TEN(X, 0) TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4)
#define PLACE(n)                                                            \
	static __attribute__((noinline)) pid_t fork_##n(fork_function call) \
	{                                                                   \
		pid_t pid = call();                                         \
                                                                            \
		__asm__ volatile("" : "+r"(pid));                           \
		return pid;                                                 \
	}
PLACES(PLACE)
#define NAME(n) fork_##n,
static pid_t (*const places[])(fork_function) = { PLACES(NAME) };

enum {
	NR_PLACES = sizeof(places) / sizeof(*places),
	MIXED_FROM = CHILD_KINDS, /* places with children of many kinds */
	WRITERS_FROM = 10,	  /* of one kind, each of another batch */
};

/* What others see is only foreseen where it is always so; and where it was
 * foreseen wrong, never again. */
static unsigned place_of(uint64_t index, struct rng r)
{
	enum child_kind kind = child_kind(&r);

	if (kind == CHILD_WRITES_EXECS)
		return WRITERS_FROM +
		       index / BATCH % (NR_PLACES - WRITERS_FROM);
	if (rng_percent(&r, 30))
		return MIXED_FROM + rng_below(&r, WRITERS_FROM - MIXED_FROM);
	return kind;
}

/* One child, made by @call. */
static void run(struct ending *o, const struct rng *choices, fork_function call,
		unsigned place)
{
	uint64_t state;
	int error;
	struct rng r = *choices;
	enum child_kind kind = child_kind(&r);
	pid_t pid;

	scene_report->complete = 0;
	MUST(!ftruncate(child_said_fd, 0));
	world_restore();
	around_before(r);
	state_tweak(&r);
	state = state_digest();
	child_is_ours = call != libc_fork;
	errno = ERRNO_BEFORE;
	pid = places[place](call);
	if (pid == 0)
		child_run(kind, &r);
	error = errno;
	around_meanwhile();
	ending_wait(o, pid, error);
	o->state_kept = state_digest() == state;
	around_after(o->around);
	ending_get(o);
	/* libc's is no question, and what it might do is seen the next time */
	o->memory_kept =
		call == libc_fork ||
		(thorough ? world_is_untouched() : world_slice_is_untouched());
	o->signals_kept = state_untweak();
}

static void run_case(uint64_t seed, uint64_t index)
{
	static struct ending of[2];
	struct ending *libc = &of[0], *ours = &of[1];
	struct rng r = rng_of(seed, index);
	unsigned place = place_of(index, r);

	for (unsigned turn = 0; turn < 2; turn++) {
		bool mine = (turn ^ index) & 1;

		run(&of[mine], &r, mine ? fork : libc_fork, place);
	}
	count->cases++;
	count->execs += libc->found.complete && !around_kills();
	if (ending_same(ours, libc, false) || count->differ++ >= PATIENCE)
		return;
	state_lift_file_size();
	dprintf(scene_log, "seed %lu case %lu differs, ours and libc's:\n",
		(unsigned long)seed, (unsigned long)index);
	ending_same(ours, libc, true);
	state_print();
	around_print();
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* It takes no signals. */
static void start_thread(void)
{
	pthread_t thread;
	sigset_t all, was;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	MUST(!pthread_create(&thread, NULL, idle, NULL));
	pthread_sigmask(SIG_SETMASK, &was, NULL);
}

/* What heaps up: changed memory, memory that children do not get, children of
 * any kind. The last are asked for at the end only, since a process that asks
 * so gets no child on trial from then on. */
static void look_at_the_end(uint64_t seed, uint64_t last, uint64_t marks)
{
	bool kept = world_is_untouched();
	uint64_t now = marks_all();
	int left = found_leftover(__WALL);

	for (int i = 0; i < 200 && left == 0; i++) {
		usleep(10000);
		left = found_leftover(__WALL);
	}
	if ((now == marks || now == MARKS_UNKNOWN) && left == -ECHILD && kept)
		return;
	state_lift_file_size();
	dprintf(scene_log,
		"seed %lu, after case %lu: %lu pages are marked, not %lu; wait "
		"for any kind of child: %d; memory is%s as it was made\n",
		(unsigned long)seed, (unsigned long)last, (unsigned long)now,
		(unsigned long)marks, left, kept ? "" : " not");
	count->differ++;
}

/* A batch, in a process of its own: its session, its limits, its ids. */
static void work(uint64_t seed, uint64_t first, uint64_t end)
{
	uint64_t block = UINT64_MAX, batch = first / BATCH, marks;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	if (batch % THREADED == THREADED - 1)
		start_thread();
	state_setup();
	child_setup();
	world_make(batch % BIG == 0);
	around_begin(seed, batch, around_names);
	marks = marks_all();
	for (uint64_t i = first; i < end; i++) {
		if (i / BLOCK != block) {
			state_enter(seed, block = i / BLOCK);
			ending_prepare();
		}
		run_case(seed, i);
	}
	look_at_the_end(seed, end - 1, marks);
}

/* Until the worker has ended; one that does not go on is ended. */
static void watch(pid_t worker)
{
	unsigned long seen = count->cases;
	int status, idle = 0;

	while (waitpid(worker, &status, WNOHANG) == 0) {
		usleep(10000);
		idle = count->cases == seen ? idle + 1 : 0;
		seen = count->cases;
		if (idle < STUCK * 100 && !ended_by)
			continue;
		if (!ended_by) {
			printf("a case does not end, behind %lu\n", seen);
			stuck_print(worker);
		}
		/* itself first: that its child is killed is no difference */
		kill(worker, SIGKILL);
		kill(-worker, SIGKILL);
		idle = 0;
	}
	if (status && !ended_by)
		printf("ended early, status %#x\n", status);
}

/* Are there results of all of them? */
static bool run_batch(uint64_t seed, uint64_t first, uint64_t end)
{
	unsigned long before = count->cases;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		work(seed, first, end);
		_exit(0);
	}
	watch(pid);
	if (count->cases - before == end - first)
		return true;
	if (ended_by)
		return false;
	printf("of %lu to %lu, after %lu\n", (unsigned long)first,
	       (unsigned long)end, count->cases - before);
	return false;
}

static void on_end(int sig)
{
	ended_by = sig;
}

/* What is said is seen at once, by whom ever; and the end, too. */
static void prepare(const char *witness)
{
	struct sigaction sa = { .sa_handler = on_end };

	setvbuf(stdout, NULL, _IONBF, 0);
	libc_fork = (fork_function)dlsym(scene_libc(), "fork");
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(count != MAP_FAILED);
	scene_make(witness);
	MUST(!sigaction(SIGTERM, &sa, NULL) && !sigaction(SIGINT, &sa, NULL));
}

static void say_counts(uint64_t seed)
{
	printf("seed %lu: %lu cases, %lu exec'ed, %lu differ\n",
	       (unsigned long)seed, count->cases, count->execs, count->differ);
}

int main(int argc, char **argv)
{
	uint64_t seed, cases, at, next, end;
	bool complete = true;

	if (argc < 4) {
		fprintf(stderr, "%s WITNESS SEED CASES [FIRST [AROUND,...]]\n",
			argv[0]);
		return 2;
	}
	seed = strtoull(argv[2], NULL, 0);
	cases = strtoull(argv[3], NULL, 0);
	at = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;
	around_names = argc > 5 ? argv[5] : NULL;
	thorough = cases <= BATCH;
	prepare(argv[1]);
	for (end = at + cases; at < end && !ended_by; at = next) {
		next = (at / BATCH + 1) * BATCH;
		if (next > end)
			next = end;
		complete &= run_batch(seed, at, next);
		if (next % PROGRESS == 0 && next < end)
			say_counts(seed);
	}
	scene_remove();
	if (ended_by)
		printf("ended by signal %d\n", (int)ended_by);
	say_counts(seed);
	return !complete || at < end || count->differ;
}
