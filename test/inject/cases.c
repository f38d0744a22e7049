/* See cases.h. */
#include "cases.h"
#include "calls.h"
#include "scene.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct cases_asked cases_asked = { .side = -1 };
struct cases_count *cases_count;

pid_t (*cases_fork)(void);
static const struct subject *subject; /* whose case it is */

void cases_parse(int n, char **argv)
{
	struct cases_asked *a = &cases_asked;
	int i;

	for (i = 0; i < n; i++) {
		if (!strcmp(argv[i], "-v")) {
			a->verbose = true;
		} else if (!strcmp(argv[i], "-a")) {
			a->all = true;
		} else if (!strcmp(argv[i], "-e")) {
			a->every = true;
		} else if (!a->only) {
			a->only = argv[i];
		} else if (i + 2 < n) {
			a->side = atoi(argv[i]);
			a->nth = (unsigned)atoi(argv[i + 1]);
			a->which = (unsigned)atoi(argv[i + 2]);
			break;
		}
	}
}

void *cases_share(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	MUST(at != MAP_FAILED);
	return at;
}

void cases_prepare(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

	MUST(libc);
	*(void **)&cases_fork = dlsym(libc, "fork");
	inject_prepare();
	inject->every = cases_asked.every;
	cases_count = cases_share(sizeof(*cases_count));
}

const char *cases_error_name(int error)
{
	const char *name = strerrorname_np(error);

	return error == CALL_SHORT ? "short" : name ? name : "0";
}

static const char *side_name(void)
{
	static const char *const names[] = { "parent", "child", "stand-in" };

	return names[inject->side];
}

void cases_wrong(const char *when, const char *what, const char *outcome)
{
	printf("WRONG %s: %s %u, %s=%s, %s: %s (%s)\n", subject->name,
	       side_name(), inject->nth, inject->call ? inject->call : "none",
	       cases_error_name(inject->error), when, what, outcome);
	cases_count->wrong++;
}

void cases_tell(bool refused, const char *outcome)
{
	cases_count->failed++;
	*(refused ? &cases_count->refused : &cases_count->started) += 1;
	if (cases_asked.verbose)
		printf("  %s: %s %u %s=%s: %s\n", subject->name, side_name(),
		       inject->nth, inject->call,
		       cases_error_name(inject->error), outcome);
}

/* A wait status. */
static int in_a_process(void)
{
	pid_t pid;

	fflush(stdout);
	pid = cases_fork();
	if (pid == 0) {
		inject_wait_for_tracer();
		subject->run(subject->way);
		fflush(stdout);
		_exit(0);
	}
	return inject_trace(pid, subject->seconds);
}

/* Call @nth, with the error @which; false: there is no such call. */
static bool run_one(enum inject_side side, unsigned nth, unsigned which)
{
	char ended[64];
	int status;

	inject->side = side;
	inject->nth = nth;
	inject->which = which;
	inject->call = NULL;
	inject->error = 0;
	status = in_a_process();
	if (status == 77 << 8)
		exit(77);
	if (status) {
		snprintf(ended, sizeof(ended), "status %#x", (unsigned)status);
		cases_wrong("then", "the process ended", ended);
	}
	return inject->call != NULL;
}

static bool run_call(enum inject_side side, unsigned nth)
{
	unsigned which = 0;

	if (!cases_asked.all)
		return run_one(side, nth, nth);
	while (run_one(side, nth, which))
		if (++which >= inject->choices)
			return true;
	return false;
}

/* Of a row of the same calls some are skipped, as long as it goes on. */
#define ROW 8
#define SKIP 7

static unsigned run_side(enum inject_side side)
{
	unsigned nth = 1, step = 1, tried = 0, same = 0;
	const char *last = NULL;
	bool is;

	for (;; nth += step) {
		is = run_call(side, nth);
		if (step > 1 && (!is || inject->call != last)) {
			nth -= step;
			step = 1;
			same = 0;
			continue;
		}
		if (!is)
			return tried;
		tried++;
		same = last == inject->call ? same + 1 : 0;
		last = inject->call;
		step = cases_asked.all || same < ROW ? 1 : SKIP;
	}
}

void cases_run_whole(const struct subject *of)
{
	subject = of;
	memset(cases_count, 0, offsetof(struct cases_count, wrong));
	run_one(INJECT_PARENT, 0, 0);
}

void cases_run(const struct subject *of, unsigned ret_tried[INJECT_SIDES])
{
	int side;

	subject = of;
	memset(ret_tried, 0, INJECT_SIDES * sizeof(*ret_tried));
	if (cases_asked.side >= 0) {
		run_one((enum inject_side)cases_asked.side, cases_asked.nth,
			cases_asked.which);
		return;
	}
	for (side = 0; side < INJECT_SIDES; side++)
		ret_tried[side] = run_side((enum inject_side)side);
}
