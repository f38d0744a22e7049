/*
 * vfork + exec + exit + wait of the static no-op: by the vfork that the
 * program would call, preloaded, and by libc's own, asked in turn in one run.
 * Run with the interposer in LD_PRELOAD. Prints `name value unit` lines; no
 * figure is a verdict.
 *
 *	vfork-bench [--mib N] [--rounds N] [--call vfork|fork]
 *
 * --call fork: it is fork that the program calls, whose children are lent the
 * stack where that is possible (FLATFORK_LEND); still beside libc's vfork.
 */
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PRELOAD,
	GLIBC,
	WAYS,
	MAX_ROUNDS = 20000,
	BEFORE = 20, /* what is learnt is learnt by then */
};

static const char *const way_name[WAYS] = { "preload", "glibc" };
static pid_t (*way[WAYS])(void);
static int64_t samples[WAYS][MAX_ROUNDS];
static long mib, rounds = 1000;
static char child[PATH_MAX];
static const char *call = "vfork";

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The same instructions for both: only where they jump to differs. */
static __attribute__((noinline)) int64_t one(pid_t (*volatile make)(void))
{
	static char *argv[] = { "noop", NULL };
	volatile int64_t from = now_ns();
	int status;
	pid_t pid = make();

	if (pid == 0) {
		execve(child, argv, environ);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "vfork bench: a child failed\n");
		exit(1);
	}
	return now_ns() - from;
}

static void print(const char *what, double ours, double libc)
{
	printf("%s%s.%s.%ldMiB %.1f us\n", call, what, way_name[PRELOAD], mib,
	       ours);
	printf("vfork%s.%s.%ldMiB %.1f us\n", what, way_name[GLIBC], mib, libc);
	printf("ratio.%s%s.preload/glibc.%ldMiB %.3f x\n", call, what, mib,
	       ours / libc);
}

static double sorted_us(int w, long at)
{
	return (double)samples[w][at] / 1e3;
}

static void grow(void)
{
	size_t bytes = (size_t)mib << 20;
	volatile char *p;

	if (!bytes)
		return;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		puts("skip: not so much memory");
		exit(77);
	}
	for (size_t at = 0; at < bytes; at += 4096)
		p[at] = 1;
}

static void measure(void)
{
	for (long i = -BEFORE; i < rounds; i++)
		for (int turn = 0; turn < WAYS; turn++) {
			/* neither is always the second */
			int w = (int)((turn + i) & 1);
			int64_t ns = one(way[w]);

			if (i >= 0)
				samples[w][i] = ns;
		}
	for (int w = 0; w < WAYS; w++)
		qsort(samples[w], (size_t)rounds, sizeof(**samples), compare);
	print("", sorted_us(PRELOAD, rounds / 2), sorted_us(GLIBC, rounds / 2));
	/* on a busy machine the median is mostly other people's time */
	print("-p10", sorted_us(PRELOAD, rounds / 10),
	      sorted_us(GLIBC, rounds / 10));
}

int main(int argc, char **argv)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	char self[PATH_MAX];

	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--mib"))
			mib = atol(argv[i + 1]);
		else if (!strcmp(argv[i], "--rounds"))
			rounds = atol(argv[i + 1]);
		else if (!strcmp(argv[i], "--call"))
			call = argv[i + 1];
	}
	if (!libc || rounds < 1 || rounds > MAX_ROUNDS || mib < 0) {
		fprintf(stderr, "see the head of test/bench/vfork.c\n");
		return 2;
	}
	way[PRELOAD] = strcmp(call, "fork") ? vfork : fork;
	way[GLIBC] = (pid_t(*)(void))dlsym(libc, "vfork");
	if (way[PRELOAD] == way[GLIBC])
		fprintf(stderr, "vfork bench: nothing is preloaded: "
				"\"preload\" is glibc here\n");
	if (!realpath("/proc/self/exe", self))
		return 1;
	snprintf(child, sizeof(child), "%s/noop", dirname(self));
	grow();
	measure();
	return 0;
}
