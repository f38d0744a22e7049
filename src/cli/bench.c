/*
 * flatfork bench: what fork and exec cost on this machine, plain and with the
 * object, in processes of some sizes. Each is measured in a process of its own,
 * which is this command again: it touches its memory, and starts a program that
 * only ends, for a second or a hundred times.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tell/options.h"

#define SELF "/proc/self/exe"
#define RUNS 100
#define LONGEST_NS INT64_C(1000000000)
#define SIZES_MAX 16
#define DEFAULT_SIZES "16M,64M,256M"

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* From fork to the end of its child; -1: it was not started. */
static int64_t start_one(void)
{
	const int64_t from = now_ns();
	int status;
	pid_t pid = fork();

	if (!pid) {
		execl(SELF, "flatfork", CLI_PROOF_CHILD, (char *)NULL);
		_exit(CLI_FAILED);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return pid > 0 && !status ? now_ns() - from : -1;
}

int cli_bench_one(char **argv)
{
	const size_t bytes = *argv ? strtoull(*argv, NULL, 10) : 0;
	int64_t ns[RUNS], from;
	void *memory = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t n = 0;

	if (memory == MAP_FAILED)
		return CLI_FAILED;
	memset(memory, 1, bytes);
	/* The first ones are to learn. */
	for (unsigned i = 0; i < 3; i++)
		if (start_one() < 0)
			return CLI_FAILED;
	for (from = now_ns(); n < RUNS && now_ns() - from < LONGEST_NS; n++) {
		ns[n] = start_one();
		if (ns[n] < 0)
			return CLI_FAILED;
	}
	qsort(ns, n, sizeof(ns[0]), by_value);
	printf("%" PRId64 "\n", ns[n / 2]);
	return 0;
}

static _Noreturn void become_one(const char *bytes, bool ours, int out)
{
	dup2(out, STDOUT_FILENO);
	unsetenv("LD_PRELOAD");
	if (ours && !cli_preload("bench"))
		_exit(CLI_FAILED);
	execl(SELF, "flatfork", CLI_BENCH_ONE, bytes, (char *)NULL);
	_exit(CLI_FAILED);
}

/* The median, in nanoseconds; 0: there is none. */
static int64_t measure(uint64_t bytes, bool ours)
{
	char text[32], answer[64];
	int pipes[2], status = -1;
	ssize_t got;
	pid_t pid;

	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	fflush(stdout);
	if (pipe(pipes))
		return 0;
	pid = fork();
	if (!pid)
		become_one(text, ours, pipes[1]);
	close(pipes[1]);
	got = pid > 0 ? read(pipes[0], answer, sizeof(answer) - 1) : 0;
	close(pipes[0]);
	answer[got > 0 ? got : 0] = '\0';
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			break;
	return status ? 0 : strtoll(answer, NULL, 10);
}

static bool has_memory(uint64_t bytes)
{
	FILE *in = fopen("/proc/meminfo", "re");
	unsigned long kib = 0;
	char line[128];

	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1)
			break;
	if (in)
		fclose(in);
	return bytes < (uint64_t)kib * 1024 / 10 * 9;
}

static size_t parse_sizes(char *text, uint64_t sizes[SIZES_MAX])
{
	const struct ff_option *option = ff_option_table;
	struct ff_options parsed;
	size_t n = 0;

	while (strcmp(option->env, "FLATFORK_MIN_RSS") != 0)
		option++;
	for (char *one = strtok(text, ","); one; one = strtok(NULL, ",")) {
		if (n == SIZES_MAX || !ff_option_parse(option, one, &parsed)) {
			cli_complain("bench",
				     "'%s' is not one of up to %d sizes: "
				     "64M,1G",
				     one, SIZES_MAX);
			return 0;
		}
		sizes[n++] = parsed.min_rss_bytes;
	}
	if (!n)
		cli_complain("bench", "--size wants sizes: 64M,1G");
	return n;
}

/* Of a ratio: two digits behind the point are more than there is to say. */
static double rounded(double ratio)
{
	return (double)(int64_t)(ratio * 100 + 0.5) / 100;
}

/* A line, or with @rows, one more there. False: it could not be measured. */
static bool take_size(uint64_t bytes, json_t *rows)
{
	const bool fits = has_memory(bytes);
	const int64_t plain = fits ? measure(bytes, false) : 0,
		      ours = plain ? measure(bytes, true) : 0;
	const double ratio = ours ? (double)plain / (double)ours : 0;

	if (!ours) {
		cli_complain("bench", "%" PRIu64 " MiB: %s", bytes >> 20,
			     fits ? "nothing could be measured" :
				    "there is not so much memory");
		return false;
	}
	if (rows)
		json_array_append_new(
			rows,
			json_pack("{sI sI sI sf}", "bytes", (json_int_t)bytes,
				  "plain_ns", (json_int_t)plain, "flatfork_ns",
				  (json_int_t)ours, "ratio", rounded(ratio)));
	else
		printf("%7" PRIu64 " M %12.1f us %12.1f us %9.2f\n",
		       bytes >> 20, (double)plain / 1000, (double)ours / 1000,
		       ratio);
	return true;
}

int cli_bench(char **argv)
{
	const char *asked = cli_flag("--size");
	json_t *rows = NULL;
	char sizes_text[256];
	uint64_t sizes[SIZES_MAX];
	bool good = true;
	size_t n;

	if (*argv)
		return cli_needless("bench", *argv);
	snprintf(sizes_text, sizeof(sizes_text), "%s",
		 asked ? asked : DEFAULT_SIZES);
	n = parse_sizes(sizes_text, sizes);
	if (!n)
		return CLI_FAILED;
	if (cli_flag("--json"))
		rows = json_array();
	else
		printf("%9s %15s %15s %9s\n", "size", "plain", "flatfork",
		       "times");
	for (size_t i = 0; i < n && good; i++)
		good = take_size(sizes[i], rows);
	if (rows) {
		json_dumpf(rows, stdout,
			   JSON_COMPACT | JSON_REAL_PRECISION(15));
		putchar('\n');
		json_decref(rows);
	}
	return good ? 0 : CLI_FAILED;
}
