/* The soak's parents, see soak.h: one without threads, or with them. */
#include "soak.h"
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	LEAST = 120, /* children of a half, however long it takes */
};

static struct told *mine;
/* What children count in: one for each thread that forks. */
static _Atomic unsigned *tally;
static double seconds;
static pid_t me;
static _Atomic bool done;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Whatever may have been done to it by the one who kills. */
static int wait_for(pid_t pid)
{
	int status;

	for (;;) {
		if (waitpid(pid, &status, WUNTRACED) < 0) {
			if (errno != EINTR)
				return -1;
		} else if (WIFSTOPPED(status)) {
			kill(pid, SIGCONT);
		} else {
			return status;
		}
	}
}

static int by_fork(enum kind kind, unsigned what, _Atomic unsigned *count)
{
	int pipes[2], status;
	char text[16];
	pid_t pid;

	CHECK(!pipe2(pipes, O_CLOEXEC));
	pid = fork();
	if (pid == 0)
		soak_child(kind, what, pipes[1], count);
	CHECK(pid > 0);
	status = wait_for(pid);
	CHECK(!fcntl(pipes[0], F_SETFL, O_NONBLOCK));
	if (kind == WRITES && status == RIGHT << 8 &&
	    read(pipes[0], text, sizeof(text)) != 10)
		status = -2;
	close(pipes[0]);
	close(pipes[1]);
	return status;
}

static int by_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl(t_report, "report", "exit", "7", (char *)NULL);
		_exit(90);
	}
	CHECK(pid > 0);
	return wait_for(pid);
}

static int by_spawn(void)
{
	char *argv[] = { "report", "exit", "7", NULL };
	pid_t pid;

	CHECK(!posix_spawn(&pid, t_report, NULL, NULL, argv, environ));
	return wait_for(pid);
}

static int by_popen(void)
{
	FILE *f = popen("echo x; exit 7", "re");
	int c, status;

	CHECK(f);
	c = fgetc(f);
	status = pclose(f);
	return status == RIGHT << 8 && c != 'x' ? -3 : status;
}

static int make(enum kind kind, unsigned what, _Atomic unsigned *count)
{
	switch (kind) {
	case BY_VFORK:
		return by_vfork();
	case BY_SPAWN:
		return by_spawn();
	case BY_SYSTEM:
		return system("exit 7");
	case BY_POPEN:
		return by_popen();
	default:
		return by_fork(kind, what, count);
	}
}

static void one(unsigned *seed, _Atomic unsigned *count)
{
	enum kind kind = (unsigned)rand_r(seed) % KINDS;
	int want = kind == DIES ? SIGTERM : RIGHT << 8, status;
	bool killed;

	if (kind == PAUSES_LONG && rand_r(seed) % 8)
		kind = EXECS;
	*count = 0;
	status = make(kind, (unsigned)rand_r(seed), count);
	/* of a shell's child, or of a child's */
	killed = status == SIGKILL || status == (128 + SIGKILL) << 8 ||
		 (kind == PARENT && status == 91 << 8);
	mine->children++;
	mine->killed += killed;
	if ((status == want || killed) &&
	    (killed ? *count <= 1 : *count == (kind == COUNTS)) &&
	    soak_own_word == 1)
		return;
	if (mine->wrong++ < 5)
		fprintf(stderr, "kind %d: status %x, counted %u, word %u\n",
			kind, (unsigned)status, *count, soak_own_word);
}

static void *fork_on(void *arg)
{
	unsigned seed = (unsigned)(long)arg + 1;
	double end = now() + seconds / 2;
	long first = mine->children;

	while (now() < end || mine->children - first < LEAST)
		one(&seed, &tally[(long)arg]);
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
	if (getpid() != me)
		mine->in_children++;
}

static void *allocate(void *arg)
{
	unsigned seed = 9;
	void *p[50] = { NULL };

	while (!done) {
		unsigned i = (unsigned)rand_r(&seed) % 50;

		p[i] = realloc(p[i], (unsigned)rand_r(&seed) % 400000 + 1);
		CHECK(p[i]);
		memset(p[i], 1, 1);
	}
	for (int i = 0; i < 50; i++)
		free(p[i]);
	return arg;
}

/* By mmap, mremap and munmap. */
static void *move_big_block(void *arg)
{
	size_t bytes = 2 << 20;
	char *at = NULL;

	while (!done) {
		bytes ^= 6 << 20;
		at = realloc(at, bytes);
		CHECK(at);
		memset(at + bytes - 100000, 1, 100000);
		usleep(300);
	}
	free(at);
	return arg;
}

static void with_threads(void)
{
	static const struct itimerval often = { { 0, 7000 }, { 0, 7000 } };
	static const struct itimerval off;
	pthread_t thread[FORKERS + 2];

	setitimer(ITIMER_REAL, &often, NULL);
	done = false;
	CHECK(!pthread_create(&thread[FORKERS], NULL, allocate, NULL));
	CHECK(!pthread_create(&thread[FORKERS + 1], NULL, move_big_block,
			      NULL));
	for (long i = 0; i < FORKERS; i++)
		CHECK(!pthread_create(&thread[i], NULL, fork_on, (void *)i));
	for (int i = 0; i < FORKERS; i++)
		pthread_join(thread[i], NULL);
	done = true;
	for (int i = FORKERS; i < FORKERS + 2; i++)
		pthread_join(thread[i], NULL);
	setitimer(ITIMER_REAL, &off, NULL);
}

/* In a process of its own. */
_Noreturn void soak_parent(struct told *to, bool threads, double so_long,
			   _Atomic unsigned *words)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESTART };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mine = to;
	seconds = so_long;
	tally = words;
	me = getpid();
	if (threads)
		sigaction(SIGALRM, &sa, NULL);
	for (int half = 0; half < 2; half++) {
		mine->pid = me;
		if (threads)
			with_threads();
		else
			fork_on(NULL);
		mine->pid = 0; /* nobody is killed while we look */
		mine->left[half] = waitpid(-1, NULL, WNOHANG | __WALL) >= 0;
		mine->size[half] = size_now();
	}
	_exit(t_intact(t_area, t_area_bytes) ? 0 : 1);
}
