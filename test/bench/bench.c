/*
 * What a child costs: plain fork, fork under flatfork, vfork, posix_spawn.
 *
 * Prints `name value unit`, one per line, times as medians. For each parent
 * size there are two workers, equal but for LD_PRELOAD (a preload cannot be
 * switched inside one process). All of them live at the same time and are
 * asked in turn, a few children each, so that whatever else the machine does
 * falls on all of them alike. The leader itself owns no memory to speak of.
 *
 * bench [--mib N[,N...]] [--rounds N] [--batch N] [--preload PATH]
 *       [--child PATH]
 * Without --preload only libc is measured. Exit: 0, 1 on failure, 77 when the
 * memory of the machine does not allow the sizes asked for.
 */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SIZES 8
#define MARGIN_MIB 512

static const enum order_kind way_order[WAYS] = { ORDER_FORK, ORDER_FORK,
						 ORDER_VFORK, ORDER_SPAWN };

static struct size sizes[MAX_SIZES];
static size_t nr_sizes;
static size_t rounds = 21;
static size_t batch = 4;
static const char *preload;
static char child[PATH_MAX];
static char self[PATH_MAX];
static char scratch[] = "/tmp/flatfork-bench.XXXXXX";

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void remove_scratch(void)
{
	for (size_t i = 0; i < nr_sizes; i++)
		if (sizes[i].flat.stats[0])
			unlink(sizes[i].flat.stats);
	rmdir(scratch);
}

static void add(struct series *s, double value)
{
	s->value = realloc(s->value, (s->count + 1) * sizeof(double));
	if (!s->value)
		die("realloc");
	s->value[s->count++] = value;
}

/* The environment of a worker: ours, without anything that is about flatfork,
 * then @more. Owned by the caller, the strings are borrowed. */
static char **worker_environ(char *const more[])
{
	size_t n = 0, k = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 8, sizeof(char *));
	if (!env)
		die("calloc");
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "LD_PRELOAD=", 11) != 0 &&
		    strncmp(environ[i], "FLATFORK", 8) != 0)
			env[k++] = environ[i];
	while (more && *more)
		env[k++] = *more++;
	return env;
}

static void start_worker(struct worker *w, size_t mib, char *const more[])
{
	char number[32];
	char *argv[] = { self, "--worker", number, child, NULL };
	char **env = worker_environ(more);
	posix_spawn_file_actions_t actions;
	int in[2], out[2], err;

	snprintf(number, sizeof(number), "%zu", mib);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe2");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	err = posix_spawn(&w->pid, self, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	free(env);
	if (err) {
		errno = err;
		die(self);
	}
	close(in[0]);
	close(out[1]);
	w->to = in[1];
	w->from = out[0];
}

static void start_workers(struct size *s)
{
	char env_preload[PATH_MAX + 16], env_stats[PATH_MAX + 32];
	char *more[] = { env_preload, env_stats, "FLATFORK=on",
			 "FLATFORK_FORK=auto", NULL };
	struct sample ready;

	start_worker(&s->plain, s->mib, NULL);
	if (preload) {
		snprintf(s->flat.stats, sizeof(s->flat.stats), "%s/%zu",
			 scratch, s->mib);
		snprintf(env_preload, sizeof(env_preload), "LD_PRELOAD=%s",
			 preload);
		snprintf(env_stats, sizeof(env_stats), "FLATFORK_STATS=%s",
			 s->flat.stats);
		start_worker(&s->flat, s->mib, more);
		if (read_all(s->flat.from, &ready, sizeof(ready)))
			die("worker under flatfork");
	}
	if (read_all(s->plain.from, &ready, sizeof(ready)))
		die("plain worker");
}

/* The first sample of every order warms the caches and is dropped. */
static void ask(struct worker *w, enum order_kind kind, size_t count,
		struct series *call, struct series *whole, double scale)
{
	struct order order = { kind, (uint32_t)count + 1 };
	struct sample s;

	if (write_all(w->to, &order, sizeof(order)))
		die("worker");
	for (size_t i = 0; i <= count; i++) {
		if (read_all(w->from, &s, sizeof(s))) {
			errno = EPIPE;
			die("worker ended");
		}
		if (i == 0)
			continue;
		if (call)
			add(call, (double)s.call_ns / scale);
		add(whole, (double)s.whole_ns / scale);
	}
}

static void one_round(size_t round)
{
	for (size_t i = 0; i < nr_sizes; i++) {
		struct size *s = &sizes[i];

		/* every way is first in turn */
		for (size_t k = 0; k < WAYS; k++) {
			enum way way = (enum way)((k + round) % WAYS);

			if (way == FLATFORK && !preload)
				continue;
			ask(way == FLATFORK ? &s->flat : &s->plain,
			    way_order[way], batch, &s->call[way],
			    &s->whole[way], 1e3);
		}
		ask(&s->plain, ORDER_TOUCH, 1, NULL, &s->touch[NO_CHILD], 1);
		ask(&s->plain, ORDER_TOUCH_AFTER, 1, NULL,
		    &s->touch[AFTER_PLAIN], 1);
		if (preload)
			ask(&s->flat, ORDER_TOUCH_AFTER, 1, NULL,
			    &s->touch[AFTER_FLATFORK], 1);
	}
}

static void end_worker(struct worker *w)
{
	int status;

	close(w->to);
	if (waitpid(w->pid, &status, 0) < 0)
		die("waitpid");
	if (status) {
		fprintf(stderr, "bench: worker status %#x\n", status);
		exit(1);
	}
}

static size_t available_mib(void)
{
	static const char key[] = "MemAvailable:";
	char line[256];
	unsigned long kib = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && !kib && fgets(line, sizeof(line), f))
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			kib = strtoul(line + sizeof(key) - 1, NULL, 10);
	if (f)
		fclose(f);
	return kib >> 10;
}

static size_t number(const char *text, char **ret_end)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || n == 0 || n > 1UL << 30) {
		fprintf(stderr, "bench: not a number: %s\n", text);
		exit(1);
	}
	if (ret_end)
		*ret_end = end;
	return n;
}

static void set_sizes(const char *list)
{
	char *end = (char *)list;

	for (nr_sizes = 0; nr_sizes < MAX_SIZES; list = end + 1) {
		sizes[nr_sizes++].mib = number(list, &end);
		if (*end != ',')
			return;
	}
}

static void parse(int argc, char *argv[])
{
	set_sizes("16,256,1024,4096");
	for (int i = 1; i < argc; i += 2) {
		const char *value = argv[i + 1];

		if (i + 1 < argc && !strcmp(argv[i], "--mib"))
			set_sizes(value);
		else if (i + 1 < argc && !strcmp(argv[i], "--rounds"))
			rounds = number(value, NULL);
		else if (i + 1 < argc && !strcmp(argv[i], "--batch"))
			batch = number(value, NULL);
		else if (i + 1 < argc && !strcmp(argv[i], "--preload"))
			preload = value;
		else if (i + 1 < argc && !strcmp(argv[i], "--child"))
			snprintf(child, sizeof(child), "%s", value);
		else {
			fprintf(stderr, "usage: bench [--mib N,...] [--rounds "
					"N] [--batch N] [--preload PATH] "
					"[--child PATH]\n");
			exit(1);
		}
	}
}

int main(int argc, char *argv[])
{
	size_t need = 0;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char dir[PATH_MAX];

	if (n < 0)
		die("/proc/self/exe");
	if (argc == 4 && !strcmp(argv[1], "--worker"))
		return worker_main(number(argv[2], NULL), argv[3]);
	memcpy(dir, self, sizeof(dir));
	snprintf(child, sizeof(child), "%.4000s/noop", dirname(dir));
	parse(argc, argv);
	if (access(child, X_OK))
		die(child);
	if (preload && access(preload, R_OK))
		die(preload);
	for (size_t i = 0; i < nr_sizes; i++)
		need += sizes[i].mib * (preload ? 2 : 1);
	if (need + MARGIN_MIB > available_mib()) {
		fprintf(stderr, "bench: %zu MiB needed, %zu MiB available\n",
			need + MARGIN_MIB, available_mib());
		return 77;
	}
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(scratch))
		die(scratch);
	atexit(remove_scratch);
	for (size_t i = 0; i < nr_sizes; i++)
		start_workers(&sizes[i]);
	for (size_t r = 0; r < rounds; r++)
		one_round(r);
	for (size_t i = 0; i < nr_sizes; i++) {
		end_worker(&sizes[i].plain);
		if (preload)
			end_worker(&sizes[i].flat);
		report_size(&sizes[i]);
	}
	report_growth(sizes, nr_sizes);
	return 0;
}
