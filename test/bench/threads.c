/*
 * Many threads of one big process fork at once.
 *
 * threads-bench [--rounds N] [--ms MS] [--mib MIB] [--real R] [--plain 0]
 *		 [--stack KIB] [--preload PATH] --child PATH N[,N...]
 *
 * N threads fork, exec and wait until MS milliseconds are over, beside R others
 * whose children never exec. Prints `name value unit`, one per line: children
 * per second as medians of the rounds, and as a ratio to those of one thread, in a
 * process of its own (1) and where the N threads are there and wait (1-of-N); the
 * time of processors for each, which a busy machine changes little; and of all
 * children of flatfork's how many were not lazy. Workers live at the same
 * time and are asked in turn, so that whatever else the machine does falls on
 * all of them alike. With FLATFORK_LOG set there are the reasons.
 * Exit: 0; 1 on failure, of any fork or child, too.
 */
#include "asked.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ROUNDS_MAX = 1000
};

static unsigned rounds = 5, ms = 1000, mib = 2048, reals, plain = 1, stack = 64;
static const char *preload = "", *noop;

static int64_t cpu_ns(void)
{
	static const int whose[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	int64_t us = 0;
	struct rusage r;

	for (int i = 0; i < 2; i++) {
		getrusage(whose[i], &r);
		us += (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
		      r.ru_utime.tv_usec + r.ru_stime.tv_usec;
	}
	return us * 1000;
}

/* What a worker says of one round. */
struct answer {
	uint64_t children, reals, failed;
	int64_t ns, cpu_ns; /* cpu: of this process and its children */
};

static struct {
	pthread_barrier_t begin, end;
	int64_t deadline;
	_Atomic uint64_t children, reals, failed;
} job;

static bool one_child(bool execs)
{
	char *argv[] = { "noop", NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (execs)
			execv(noop, argv);
		_exit(execs ? 98 : 0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void *work(void *arg)
{
	const bool execs = arg == NULL;

	for (;;) {
		pthread_barrier_wait(&job.begin);
		while (now_ns() < job.deadline) {
			if (!one_child(execs))
				job.failed++;
			(*(execs ? &job.children : &job.reals))++;
		}
		pthread_barrier_wait(&job.end);
	}
	return NULL;
}

static void *wait_on(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void start_threads(unsigned n, unsigned never, unsigned idle)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_barrier_init(&job.begin, NULL, n + never + 1);
	pthread_barrier_init(&job.end, NULL, n + never + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)stack << 10);
	for (unsigned i = 0; i < n + never + idle; i++)
		if (pthread_create(&thread, &attr,
				   i < n + never ? work : wait_on,
				   i < n ? NULL : ""))
			die("pthread_create");
}

/* threads-bench worker THREADS REALS IDLE MIB MS CHILD STACK */
static int worker(char **argv)
{
	const size_t bytes = (size_t)strtoul(argv[3], NULL, 10) << 20;
	struct answer answer = { 0 };
	unsigned char *area;
	int64_t from, cpu;

	ms = (unsigned)strtoul(argv[4], NULL, 10);
	noop = argv[5];
	stack = (unsigned)strtoul(argv[6], NULL, 10);
	area = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		die("mmap");
	memset(area, 1, bytes);
	start_threads((unsigned)strtoul(argv[0], NULL, 10),
		      (unsigned)strtoul(argv[1], NULL, 10),
		      (unsigned)strtoul(argv[2], NULL, 10));
	while (asked_again(&answer, sizeof(answer))) {
		job.children = job.reals = job.failed = 0;
		cpu = cpu_ns();
		from = now_ns();
		job.deadline = from + (int64_t)ms * 1000000;
		pthread_barrier_wait(&job.begin);
		pthread_barrier_wait(&job.end);
		answer = (struct answer){ job.children, job.reals, job.failed,
					  now_ns() - from, cpu_ns() - cpu };
	}
	return 0;
}

struct worker {
	struct asked asked;
	unsigned threads, idle;
	char stats[64];
	uint64_t children, reals;
	double per_s[ROUNDS_MAX], reals_per_s[ROUNDS_MAX], cpu_us[ROUNDS_MAX];
};

static uint64_t failed;

static unsigned known_by(const struct worker *w)
{
	return w->threads + w->idle;
}

static void become(const void *arg)
{
	const struct worker *w = arg;
	char text[6][16];

	snprintf(text[0], sizeof(text[0]), "%u", w->threads);
	snprintf(text[1], sizeof(text[1]), "%u", reals);
	snprintf(text[2], sizeof(text[2]), "%u", w->idle);
	snprintf(text[3], sizeof(text[3]), "%u", mib);
	snprintf(text[4], sizeof(text[4]), "%u", ms);
	snprintf(text[5], sizeof(text[5]), "%u", stack);
	unsetenv("LD_PRELOAD");
	if (w->stats[0]) {
		setenv("LD_PRELOAD", preload, 1);
		setenv("FLATFORK_STATS", w->stats, 1);
	}
	execl(asked_self(), "threads-bench", "worker", text[0], text[1],
	      text[2], text[3], text[4], noop, text[5], (char *)NULL);
}

static void start(struct worker *w, const char *name, unsigned threads,
		  unsigned idle, bool with)
{
	int fd;

	*w = (struct worker){ .threads = threads, .idle = idle };
	if (with) {
		strcpy(w->stats, "/tmp/threads-bench.XXXXXX");
		fd = mkstemp(w->stats);
		if (fd < 0)
			die(w->stats);
		close(fd);
	}
	asked_start(&w->asked, name, become, w, sizeof(struct answer));
}

static void ask(struct worker *w, unsigned round)
{
	struct answer a;

	asked_ask(&w->asked, &a, sizeof(a));
	w->children += a.children;
	w->reals += a.reals;
	w->per_s[round] = (double)a.children * 1e9 / (double)a.ns;
	w->reals_per_s[round] = (double)a.reals * 1e9 / (double)a.ns;
	w->cpu_us[round] =
		(double)a.cpu_ns / 1000 / (double)(a.children + a.reals + 1);
	failed += a.failed;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *value)
{
	qsort(value, rounds, sizeof(*value), by_value);
	return value[rounds / 2];
}

static unsigned long counted(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at ? strtoul(at + strlen(name) + 2, NULL, 10) : 0;
}

static void end(struct worker *w)
{
	unsigned long lazy = 0, real = 0;
	char line[1024];
	FILE *file;

	asked_end(&w->asked);
	if (!w->stats[0])
		return;
	file = fopen(w->stats, "r");
	if (!file)
		die(w->stats);
	/* of real children, too, when they exec */
	while (fgets(line, sizeof(line), file)) {
		lazy += counted(line, "forks_lazy");
		real += counted(line, "forks_real");
	}
	fclose(file);
	printf("threads.%s.%u.forks_lazy %lu count\n", w->asked.name,
	       known_by(w), lazy);
	printf("threads.%s.%u.forks_real %lu count\n", w->asked.name,
	       known_by(w), real);
	unlink(w->stats);
}

/* Of @worker the first is the base of the ratios. */
static void run(struct worker *worker[], unsigned n)
{
	double base;

	for (unsigned i = 0; i < n; i++)
		ask(worker[i], 0);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < n; i++)
			ask(worker[i], round);
	base = median(worker[0]->per_s);
	for (unsigned i = 0; i < n; i++) {
		struct worker *w = worker[i];

		printf("threads.%s.%u %.0f /s\n", w->asked.name, known_by(w),
		       median(w->per_s));
		printf("threads.%s.%u.cpu %.0f us\n", w->asked.name,
		       known_by(w), median(w->cpu_us));
		if (reals)
			printf("threads.%s.%u.never %.1f /s\n", w->asked.name,
			       known_by(w), median(w->reals_per_s));
	}
	printf("ratio.threads.flatfork.%u/1 %.2f x\n", worker[1]->threads,
	       median(worker[1]->per_s) / base);
	printf("ratio.threads.flatfork.%u/1-of-%u %.2f x\n", worker[1]->threads,
	       worker[1]->threads,
	       median(worker[1]->per_s) / median(worker[2]->per_s));
	fflush(stdout);
}

static struct worker one, many, one_of_many, one_plain, many_plain;

int main(int argc, char **argv)
{
	struct worker *all[] = { &one, &many, &one_of_many, &one_plain,
				 &many_plain };
	char *save, *n;
	int i = 1;

	if (argc == 9 && !strcmp(argv[1], "worker"))
		return worker(argv + 2);
	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		unsigned number = (unsigned)strtoul(argv[i + 1], NULL, 10);

		if (!strcmp(argv[i], "--rounds"))
			rounds = number;
		else if (!strcmp(argv[i], "--ms"))
			ms = number;
		else if (!strcmp(argv[i], "--mib"))
			mib = number;
		else if (!strcmp(argv[i], "--real"))
			reals = number;
		else if (!strcmp(argv[i], "--plain"))
			plain = number;
		else if (!strcmp(argv[i], "--stack"))
			stack = number;
		else if (!strcmp(argv[i], "--preload"))
			preload = argv[i + 1];
		else if (!strcmp(argv[i], "--child"))
			noop = argv[i + 1];
	}
	if (i + 1 != argc || !noop || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr,
			"usage: threads-bench [--rounds N] [--ms MS] "
			"[--mib MIB] [--real R] [--plain 0] [--stack KIB] "
			"[--preload PATH] --child PATH N[,N...]\n");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	start(&one, "flatfork", 1, 0, true);
	if (plain)
		start(&one_plain, "plain", 1, 0, false);
	for (n = strtok_r(argv[i], ",", &save); n;
	     n = strtok_r(NULL, ",", &save)) {
		unsigned threads = (unsigned)strtoul(n, NULL, 10);

		start(&many, "flatfork", threads, 0, true);
		start(&one_of_many, "flatfork.1-of", 1, threads - 1, true);
		if (plain)
			start(&many_plain, "plain", threads, 0, false);
		run(all, plain ? 5 : 3);
		end(&many);
		end(&one_of_many);
		if (plain)
			end(&many_plain);
	}
	end(&one);
	if (plain)
		end(&one_plain);
	printf("threads.failed %lu count\n", (unsigned long)failed);
	return failed ? 1 : 0;
}
