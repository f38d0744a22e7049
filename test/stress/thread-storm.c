/*
 * Eight threads map, grow, move, protect, unmap, reallocate, change ids and
 * signal each other while two others fork children that exec, and one makes
 * children by clone() that don't. No child lacks memory that its parent had,
 * no signal is lost or comes to a child, no thread finds its memory changed,
 * and no mapping is left that children do not get. Argument: forks of all three
 * together; T_FORKS in the environment wins. The marks are looked for at every
 * ROUND-th fork, with everybody standing still.
 */
#include "size.h"
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	WORKERS = 8,
	FORKERS = 3, /* the last: by clone, never lazily */
	ROUND = 100,
	PAGE = 4096,
	SMALLEST = 256, /* pages of a block: what is smaller is not left out */
	CLONE_STACK = 64 << 10,
	RIGHT = 7,
};

/*
 * What a worker has. @turn is odd while it changes it: in a child's copy an
 * even turn says that the block is there, since the kernel holds off changes of
 * mappings while it copies.
 */
static struct worker {
	pthread_t thread;
	_Atomic unsigned turn; /* 0: it has nothing yet */
	unsigned char *_Atomic at;
	_Atomic size_t pages;
	_Atomic unsigned long sent, got; /* signals to the next, and of it */
	unsigned long bad;
	bool of_malloc;
} worker[WORKERS];

static _Atomic int stand_still, standing;
static _Atomic bool done;
static _Atomic long forks_left;
static volatile unsigned *in_children; /* shared: signals that came there */
static pid_t me;

static void on_signal(int sig)
{
	pthread_t self = pthread_self();

	(void)sig;
	if (getpid() != me)
		__atomic_add_fetch(in_children, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < WORKERS; i++)
		if (pthread_equal(worker[i].thread, self))
			worker[i].got++;
}

/* Everybody who comes here waits while somebody looks. */
static void maybe_stand_still(void)
{
	if (!stand_still)
		return;
	standing++;
	while (stand_still)
		usleep(200);
	standing--;
}

static void sign(struct worker *w, size_t page)
{
	*(size_t *)(w->at + page * PAGE) = (size_t)w->at + page;
}

static bool signed_by(const struct worker *w, size_t page, size_t base)
{
	return *(size_t *)(w->at + page * PAGE) == base + page;
}

/* As it was when it lay at @base, up to @pages; then anew for where it is. */
static void check_and_sign(struct worker *w, size_t base, size_t pages)
{
	for (size_t i = 0; i < w->pages; i++) {
		if (i < pages && !signed_by(w, i, base))
			w->bad++;
		sign(w, i);
	}
}

static void get_block(struct worker *w, unsigned *seed)
{
	size_t pages = SMALLEST + (unsigned)rand_r(seed) % 512;
	void *at;

	w->of_malloc = rand_r(seed) % 2;
	if (w->of_malloc)
		at = malloc(pages * PAGE);
	else
		at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(at && at != MAP_FAILED);
	w->at = at;
	w->pages = pages;
	check_and_sign(w, 0, 0);
}

static void drop_block(struct worker *w)
{
	if (w->of_malloc)
		free(w->at);
	else
		CHECK(!munmap(w->at, w->pages * PAGE));
	w->at = NULL;
	w->pages = 0;
}

/* Where the kernel does not move it, as it is of two kinds by now: a copy. */
static void *copy_block(const struct worker *w, size_t pages)
{
	void *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	memcpy(at, w->at, (w->pages < pages ? w->pages : pages) * PAGE);
	CHECK(!munmap(w->at, w->pages * PAGE));
	return at;
}

/* Grown or shrunk, where it is or elsewhere: mremap, of ours or of libc. */
static void move_block(struct worker *w, unsigned *seed)
{
	size_t base = (size_t)w->at, old = w->pages;
	size_t pages = SMALLEST + (unsigned)rand_r(seed) % 1024;
	void *at;

	if (w->of_malloc)
		at = realloc(w->at, pages * PAGE);
	else
		at = mremap(w->at, old * PAGE, pages * PAGE, MREMAP_MAYMOVE);
	if (at == MAP_FAILED && errno == EFAULT)
		at = copy_block(w, pages);
	CHECK(at && at != MAP_FAILED);
	w->at = at;
	w->pages = pages;
	check_and_sign(w, base, old < pages ? old : pages);
}

/* Its middle is read-only for a while, so that it is three mappings. */
static void protect_block(struct worker *w)
{
	unsigned char *middle = w->at + w->pages / 4 * PAGE;
	size_t bytes = w->pages / 2 * PAGE;

	if (w->of_malloc)
		return;
	CHECK(!mprotect(middle, bytes, PROT_READ));
	sched_yield();
	CHECK(!mprotect(middle, bytes, PROT_READ | PROT_WRITE));
}

/* A piece of its end is given back and mapped anew. */
static void pierce_block(struct worker *w)
{
	size_t hole = w->pages - 32;
	unsigned char *at = w->at + hole * PAGE;

	if (w->of_malloc)
		return;
	CHECK(mmap(at, 32 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
	for (size_t i = hole; i < w->pages; i++)
		sign(w, i);
}

static void signal_next(struct worker *w)
{
	struct worker *next = &worker[(w - worker + 1) % WORKERS];

	/* queued ones: each arrives */
	if (!pthread_sigqueue(next->thread, SIGRTMIN + 1, (union sigval){ 0 }))
		w->sent++;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned seed = (unsigned)(w - worker) + 1;

	get_block(w, &seed);
	w->turn = 2;
	while (!done) {
		unsigned what = (unsigned)rand_r(&seed) % 16;

		maybe_stand_still();
		if (what == 0 && w == worker) {
			CHECK(!setuid(getuid()));
			continue;
		}
		if (what < 3) {
			signal_next(w);
			continue;
		}
		w->turn++;
		if (what < 5)
			drop_block(w), get_block(w, &seed);
		else if (what < 12)
			move_block(w, &seed);
		else if (what < 14)
			protect_block(w);
		else
			pierce_block(w);
		w->turn++;
		if (what % 4 == 0)
			sched_yield();
	}
	w->turn++;
	return NULL;
}

/* In a child: what stood still when it was made is there. */
static bool has_blocks(void)
{
	unsigned sum = 0;

	for (int i = 0; i < WORKERS; i++) {
		struct worker *w = &worker[i];

		if (w->turn & 1 || !w->turn)
			continue;
		for (size_t page = 0; page < w->pages; page += 7)
			sum += *(volatile unsigned char *)(w->at + page * PAGE);
		sum += w->at[w->pages * PAGE - 1];
	}
	return sum != 1;
}

static pid_t fork_one(unsigned what)
{
	pid_t pid = t_fork();

	if (pid)
		return pid;
	if (what % 4 == 0 && !has_blocks())
		_exit(50);
	if (!t_intact(t_area + (what % 8 << 18), 1 << 18))
		_exit(51);
	if (what % 16 == 9)
		_exit(RIGHT);
	execl(t_report, "report", "exit", "7", (char *)NULL);
	_exit(52);
}

static int cloned(void *arg)
{
	(void)arg;
	_exit(has_blocks() && t_intact(t_area, t_area_bytes) ? RIGHT : 53);
}

/* A copy of the address space, and one thing more: nobody makes it lazily. */
static pid_t clone_one(char *stack)
{
	pid_t pid =
		clone(cloned, stack + CLONE_STACK, SIGCHLD | CLONE_IO, NULL);

	CHECK(pid > 0);
	return pid;
}

static void *fork_on(void *arg)
{
	static char stacks[FORKERS][CLONE_STACK] __attribute__((aligned(64)));
	long number = (long)arg, bad = 0;
	unsigned what = (unsigned)number;

	while (forks_left-- > 0) {
		int status;
		pid_t pid;

		maybe_stand_still();
		pid = number == FORKERS - 1 ? clone_one(stacks[number]) :
					      fork_one(what);
		what += FORKERS;
		while (waitpid(pid, &status, 0) < 0)
			CHECK(errno == EINTR);
		if (status != RIGHT << 8 && bad++ < 5)
			fprintf(stderr, "%s: status %x\n",
				number == FORKERS - 1 ? "clone" : "fork",
				(unsigned)status);
	}
	standing++; /* for good */
	return (void *)bad;
}

/* How many marks are left, with nobody at work. */
static long look_for_marks(void)
{
	long marks;

	stand_still = 1;
	while (standing < WORKERS + FORKERS)
		usleep(100);
	marks = size_now().marks;
	stand_still = 0;
	while (standing > 0 && forks_left > 0)
		usleep(100);
	return marks;
}

/* Those that wait at a thread are lost with it. */
static bool signals_arrive(void)
{
	unsigned long sent = 0, got;
	int ms = 0;

	stand_still = 1;
	while (standing < WORKERS + FORKERS)
		usleep(100);
	for (int i = 0; i < WORKERS; i++)
		sent += worker[i].sent;
	do {
		t_sleep_ms(1);
		got = 0;
		for (int i = 0; i < WORKERS; i++)
			got += worker[i].got;
	} while (got != sent && ms++ < 5000);
	done = true;
	stand_still = 0;
	return got == sent;
}

static void start(pthread_t *forker)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESTART };

	sigaction(SIGRTMIN + 1, &sa, NULL);
	t_signals_again();
	/* none gets a signal before all are known */
	stand_still = 1;
	for (long i = 0; i < WORKERS; i++)
		CHECK(!pthread_create(&worker[i].thread, NULL, work,
				      &worker[i]));
	for (long i = 0; i < FORKERS; i++)
		CHECK(!pthread_create(&forker[i], NULL, fork_on, (void *)i));
	stand_still = 0;
}

int main(int argc, char **argv)
{
	const char *text = getenv("T_FORKS");
	long forks = text ? atol(text) : argc > 1 ? atol(argv[1]) : 1000;
	long bad = 0, bad_blocks = 0, marks = 0, next = forks - ROUND;
	bool arrived;
	pthread_t forker[FORKERS];
	void *result;

	t_start(4);
	me = getpid();
	in_children = t_shared(PAGE);
	forks_left = forks;
	start(forker);
	while (forks_left > 0) {
		usleep(1000);
		if (forks_left > next)
			continue;
		marks += look_for_marks();
		next -= ROUND;
	}
	for (int i = 0; i < FORKERS; i++) {
		pthread_join(forker[i], &result);
		bad += (long)result;
	}
	arrived = signals_arrive();
	for (int i = 0; i < WORKERS; i++)
		pthread_join(worker[i].thread, NULL);
	for (int i = 0; i < WORKERS; i++) {
		bad_blocks += (long)worker[i].bad;
		drop_block(&worker[i]);
	}
	marks += size_now().marks;
	printf("%ld forks, %ld wrong; threads: %ld words changed; signals: %s, "
	       "%u in children; %ld marks left\n",
	       forks, bad, bad_blocks, arrived ? "all arrived" : "LOST",
	       *in_children, marks);
	return t_end();
}
