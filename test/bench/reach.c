/*
 * What a fork costs where big processes live: in one that gave up its rights
 * without exec, and in one with many mappings.
 *
 * reach-bench [--rounds N] [--preload PATH] [--child PATH] dropped MIB
 * reach-bench [--rounds N] [--preload PATH] [--child PATH] mappings N[,N...]
 *
 * Prints `name value unit`, one per line, times as medians of fork, exec and
 * wait. All workers live at the same time and are asked in turn, one child
 * each, so that whatever else the machine does falls on all of them alike.
 * Exit: 0, 1 on failure, 77 where it takes root to give up rights.
 */
#include "asked.h"

#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	TOUCHED = 16, /* places that each child reads */
	ROUNDS_MAX = 1000,
	WORKERS_MAX = 16,
	AREA_MIB = 64
};

static size_t rounds = 51;
static const char *preload = "", *noop;
static unsigned char *area;
static size_t area_bytes;

static void *map(size_t bytes, int prot)
{
	void *p = mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

/* Neighbours differ, or they would be one mapping. */
static void make_mappings(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char *p = map(PAGE, PROT_READ | PROT_WRITE);

		*p = 1;
		if (i % 2 && mprotect(p, PAGE, PROT_READ))
			die("mprotect");
	}
}

static void drop(void)
{
	if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
		die("setuid");
}

static int64_t one_child(unsigned turn)
{
	char *argv[] = { "noop", NULL };
	const volatile unsigned char *look = area;
	int64_t from = now_ns();
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		/* elsewhere each time, so that nothing is known */
		for (unsigned i = 0; i < TOUCHED; i++)
			(void)look[(turn * 7919 + i * 104729) % 4096 *
				   (area_bytes / 4096)];
		execv(noop, argv);
		_exit(98);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 98)
		die("the child");
	return now_ns() - from;
}

/* reach-bench worker KIND SIZE CHILD */
static int worker(char **argv)
{
	const bool many = !strcmp(argv[0], "mappings");
	const size_t size = strtoul(argv[1], NULL, 10);
	unsigned turn = 0;
	int64_t ns = 0;

	noop = argv[2];
	area_bytes = (many ? (size_t)AREA_MIB : size) << 20;
	area = map(area_bytes, PROT_READ | PROT_WRITE);
	memset(area, 1, area_bytes);
	if (many)
		make_mappings(size);
	else
		drop();
	if (!strcmp(argv[0], "dumpable"))
		prctl(PR_SET_DUMPABLE, 1);
	while (asked_again(&ns, sizeof(ns)))
		ns = one_child(turn++);
	return 0;
}

struct worker {
	struct asked asked;
	const char *kind;
	size_t size;
	bool with;
	int64_t ns[ROUNDS_MAX];
};

static struct worker workers[WORKERS_MAX];
static size_t nr_workers;

static int64_t ask(const struct worker *w)
{
	int64_t ns;

	asked_ask(&w->asked, &ns, sizeof(ns));
	return ns;
}

static void become(const void *arg)
{
	const struct worker *w = arg;
	char number[32];

	snprintf(number, sizeof(number), "%zu", w->size);
	unsetenv("LD_PRELOAD");
	if (w->with)
		setenv("LD_PRELOAD", preload, 1);
	execl(asked_self(), "reach-bench", "worker", w->kind, number, noop,
	      (char *)NULL);
}

static void start(const char *name, const char *kind, size_t size, bool with)
{
	struct worker *w = &workers[nr_workers++];

	w->kind = kind;
	w->size = size;
	w->with = with;
	asked_start(&w->asked, name, become, w, sizeof(int64_t));
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double median_us(struct worker *w)
{
	qsort(w->ns, rounds, sizeof(w->ns[0]), by_value);
	return (double)w->ns[rounds / 2] / 1000;
}

static void run(const char *unit)
{
	double us[WORKERS_MAX];

	for (size_t i = 0; i < nr_workers; i++)
		for (int warm = 0; warm < 4; warm++)
			ask(&workers[i]);
	for (size_t r = 0; r < rounds; r++)
		for (size_t i = 0; i < nr_workers; i++)
			workers[i].ns[r] = ask(&workers[i]);
	for (size_t i = 0; i < nr_workers; i++) {
		us[i] = median_us(&workers[i]);
		printf("reach.%s.%zu%s %.1f us\n", workers[i].asked.name,
		       workers[i].size, unit, us[i]);
	}
	for (size_t i = 1; i < nr_workers; i++)
		if (workers[i].size == workers[i - 1].size)
			printf("ratio.reach.%s/%s.%zu%s %.2f x\n",
			       workers[i].asked.name, workers[i - 1].asked.name,
			       workers[i].size, unit, us[i] / us[i - 1]);
	for (size_t i = 0; i < nr_workers; i++)
		asked_end(&workers[i].asked);
}

static void dropped(size_t mib)
{
	if (getuid()) {
		printf("skip: it takes root to give up rights\n");
		exit(77);
	}
	start("plain", "dropped", mib, false);
	start("dumpable", "dumpable", mib, true);
	start("dropped", "dropped", mib, true);
	run("MiB");
}

static void mappings(char *list)
{
	char *save, *n = strtok_r(list, ",", &save);

	for (; n && nr_workers + 2 <= WORKERS_MAX;
	     n = strtok_r(NULL, ",", &save)) {
		start("plain", "mappings", strtoul(n, NULL, 10), false);
		start("flatfork", "mappings", strtoul(n, NULL, 10), true);
	}
	run("mappings");
}

int main(int argc, char **argv)
{
	int i = 1;

	if (argc == 5 && !strcmp(argv[1], "worker"))
		return worker(argv + 2);
	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (!strcmp(argv[i], "--rounds"))
			rounds = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--preload"))
			preload = argv[i + 1];
		else if (!strcmp(argv[i], "--child"))
			noop = argv[i + 1];
	}
	if (i + 2 != argc || !noop || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: reach-bench [--rounds N] "
				"[--preload PATH] --child PATH "
				"dropped MIB | mappings N[,N...]\n");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(argv[i], "dropped"))
		dropped(strtoul(argv[i + 1], NULL, 10));
	else
		mappings(argv[i + 1]);
	return 0;
}
