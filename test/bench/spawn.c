/*
 * posix_spawn of a static no-op, from start to reaped: ours preloaded, ours
 * linked, glibc's, musl's, vfork by hand, and the least that starts it at all
 * (floor), asked in turn in one run, from a process with much memory and many
 * descriptors. Run with the interposer in LD_PRELOAD. Prints `name value unit`
 * lines, medians; no figure is a verdict. Where floor/glibc is above a target
 * for ours/glibc, the machine does not allow it.
 *
 *	spawn [--mib N] [--fds N] [--rounds N] [--musl PROGRAM]
 *	      [--threads N]
 */
#include "ways.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MUSL = WAYS,
	ALL,
	MAX_ROUNDS = 20000,
};

static long mib, fds = 20, rounds = 300, threads = 16;
static const char *musl;
static char child[PATH_MAX];
static int64_t samples[ALL][MAX_ROUNDS];
static int musl_to = -1, musl_from = -1;

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Sorts @s. Beside the median a low quantile: on a busy machine the median is
 * mostly other people's time. */
static double median_us(int64_t *s)
{
	qsort(s, (size_t)rounds, sizeof(*s), compare);
	return (double)s[rounds / 2] / 1e3;
}

static double low_us(const int64_t *sorted)
{
	return (double)sorted[rounds / 10] / 1e3;
}

static void grow(void)
{
	struct rlimit rl = { (rlim_t)fds + 64, (rlim_t)fds + 64 };
	size_t bytes = (size_t)mib << 20;
	volatile char *p;

	if (fds > 900 && setrlimit(RLIMIT_NOFILE, &rl)) {
		puts("skip: so many descriptors are not allowed");
		exit(77);
	}
	for (long fd = 0; fd >= 0 && fd < fds - 1;)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!bytes)
		return;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		puts("skip: not so much memory");
		exit(77);
	}
	madvise((void *)p, bytes, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < bytes; at += 4096)
		p[at] = 1;
}

/* Before we grow: it is a process of its own, of the same size. */
static void start_musl(void)
{
	char size[16], count[16];
	char *args[] = { "spawn-musl", child, size, count, NULL };
	char *none[] = { NULL };
	int to[2], from[2];

	if (!musl || pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return;
	snprintf(size, sizeof(size), "%ld", mib);
	snprintf(count, sizeof(count), "%ld", fds);
	if (vfork() == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execve(musl, args, none);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	musl_to = to[1];
	musl_from = from[0];
}

static int64_t ask_musl(void)
{
	int64_t ns = 0;

	if (write(musl_to, "x", 1) != 1 ||
	    read(musl_from, &ns, sizeof(ns)) != sizeof(ns)) {
		fprintf(stderr, "spawn bench: musl's worker failed\n");
		exit(1);
	}
	return ns;
}

static const char *name_of(int way)
{
	return way == MUSL ? "musl" : way_name[way];
}

static void print_ratio(const char *what, int way, int of, const char *end,
			double ratio)
{
	printf("ratio.%s.%s/%s.%ldMiB.%ldfd%s %.2f x\n", what, name_of(way),
	       name_of(of), mib, fds, end, ratio);
}

static void measure(bool closefrom)
{
	const char *end = closefrom ? ".closefrom" : "";
	int ways = !closefrom && musl_to >= 0 ? ALL : WAYS;
	double us[ALL], low[ALL];

	for (long i = -10; i < rounds; i++)
		for (int w = 0; w < ways; w++) {
			int64_t ns = w == MUSL ?
					     ask_musl() :
					     ways_one((enum way)w, closefrom);

			if (i >= 0)
				samples[w][i] = ns;
			/* musl's is another process: who comes after it
			 * finds cold caches, and is not counted */
			if (w == MUSL)
				ways_one(WAY_VFORK, closefrom);
		}
	for (int w = 0; w < ways; w++) {
		us[w] = median_us(samples[w]);
		low[w] = low_us(samples[w]);
		printf("spawn.%s.%ldMiB.%ldfd%s %.1f us\n", name_of(w), mib,
		       fds, end, us[w]);
		printf("spawn-p10.%s.%ldMiB.%ldfd%s %.1f us\n", name_of(w), mib,
		       fds, end, low[w]);
	}
	for (int w = 0; w <= WAY_FLATFORK; w++)
		for (int of = WAY_GLIBC; of < ways; of++) {
			print_ratio("spawn", w, of, end, us[w] / us[of]);
			print_ratio("spawn-p10", w, of, end, low[w] / low[of]);
		}
	for (int w = WAY_VFORK; w <= WAY_FLOOR; w++) {
		print_ratio("spawn", w, WAY_GLIBC, end, us[w] / us[WAY_GLIBC]);
		print_ratio("spawn-p10", w, WAY_GLIBC, end,
			    low[w] / low[WAY_GLIBC]);
	}
}

static enum way thread_way;

static void *spawn_many(void *arg)
{
	for (long i = 0; i < rounds; i++)
		ways_one(thread_way, false);
	return arg;
}

static double throughput(enum way way)
{
	pthread_t *thread = calloc((size_t)threads, sizeof(*thread));
	int64_t from = now_ns();

	thread_way = way;
	for (long i = 0; thread && i < threads; i++)
		if (pthread_create(&thread[i], NULL, spawn_many, NULL))
			exit(1);
	for (long i = 0; thread && i < threads; i++)
		pthread_join(thread[i], NULL);
	free(thread);
	return (double)(threads * rounds) * 1e9 / (double)(now_ns() - from);
}

static void measure_threads(void)
{
	double best[WAYS] = { 0 };

	for (int turn = 0; turn < 3; turn++)
		for (int w = 0; w < WAYS; w++) {
			double n = throughput((enum way)w);

			if (n > best[w])
				best[w] = n;
		}
	for (int w = 0; w < WAYS; w++)
		printf("throughput.%s.%ldthreads %.0f /s\n", way_name[w],
		       threads, best[w]);
	for (int w = 0; w <= WAY_FLATFORK; w++)
		printf("ratio.throughput.%s/glibc.%ldthreads %.2f x\n",
		       way_name[w], threads, best[w] / best[WAY_GLIBC]);
}

static int options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "0";

		if (!strcmp(argv[i], "--mib"))
			mib = atol(value);
		else if (!strcmp(argv[i], "--fds"))
			fds = atol(value);
		else if (!strcmp(argv[i], "--rounds"))
			rounds = atol(value);
		else if (!strcmp(argv[i], "--threads"))
			threads = atol(value);
		else if (!strcmp(argv[i], "--musl"))
			musl = value;
		else
			return -1;
		i++;
	}
	return rounds > 0 && rounds <= MAX_ROUNDS ? 0 : -1;
}

int main(int argc, char **argv)
{
	char self[PATH_MAX];

	if (options(argc, argv)) {
		fprintf(stderr, "see the head of test/bench/spawn.c\n");
		return 2;
	}
	if (!realpath("/proc/self/exe", self))
		return 1;
	snprintf(child, sizeof(child), "%s/noop", dirname(self));
	setvbuf(stdout, NULL, _IOLBF, 0);
	start_musl();
	grow();
	if (!ways_find(child))
		fprintf(stderr, "spawn bench: nothing is preloaded: "
				"\"preload\" is glibc here\n");
	measure(false);
	measure(true);
	if (threads > 0)
		measure_threads();
	return 0;
}
