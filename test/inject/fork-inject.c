/*
 * Every system call of a fork fails once: the parent's, its children's, and
 * those of a process that stands in. Then there is one child that finds what
 * it always finds, or fork says EAGAIN or ENOMEM, and there is none. Whatever
 * came of it, the process is as before, and so is the next fork.
 *
 *	fork-inject WITNESS [-v] [-a] [-e] [NAME [SIDE NTH WHICH]]
 *
 * NAME: of one way to fork. -a: with every error that a call can have; without
 * it, one each, and of many calls of one kind in a row not all. -e: all later
 * calls of its kind fail, too. -v says what became of each. Run with the
 * interposer in LD_PRELOAD, FLATFORK_FORK=lazy and FLATFORK_LEND=off; those ways
 * that use up a budget where FLATFORK_BUDGET_MS is under 1000, else the others.
 * Prints a line for each way. Exit: 0, 1 or 77.
 */
#include "calls.h"
#include "forks.h"
#include "inject.h"
#include "keep.h"
#include "scene.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define WITNESS_STATUS (7 << 8)
#define HANG_SECONDS 60
#define HOUSES ((size_t)1 << 20) /* what lazy forks keep mapped */

/* Shared by all processes of the run. */
static struct {
	struct witness first; /* the way's, where nothing failed */
	unsigned failed, started, refused, told, lazy, wrong;
	bool impossible;
} * shared;

static struct {
	bool verbose, all, every;
	int side; /* -1: all */
	unsigned nth, which;
} asked = { .side = -1 };

/* Libc's own: the process of a case must be no child of a fork of ours. */
static pid_t (*libc_fork)(void);

static char stack[64 << 10];

static const char *error_name(int error)
{
	const char *name = strerrorname_np(error);

	return error == CALL_SHORT ? "short" : name ? name : "0";
}

static const char *side_name(void)
{
	static const char *const names[] = { "parent", "child", "stand-in" };

	return names[inject->side];
}

/* ---- one fork ---- */

/* Did the child fail by a call that it made itself? */
static bool told_by_itself(int status)
{
	static const char *const calls[] = {
		"write", "read",   "dup2",     "close",		 "execve",
		"mmap",	 "munmap", "mprotect", "rt_sigprocmask", "rt_sigaction"
	};
	size_t i;

	if (status != CHILD_REFUSED << 8 || !inject->call ||
	    inject->side != INJECT_CHILD)
		return false;
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(inject->call, calls[i]))
			return true;
	return false;
}

static const char *look_at_report(void)
{
	if (!report->complete)
		return "the program did not run";
	make_comparable(report);
	if (!shared->first.complete)
		shared->first = *report;
	return memcmp(&shared->first, report, sizeof(*report)) ?
		       "the program found something else" :
		       NULL;
}

/* Reap it; NULL, or what is wrong. */
static const char *look_at_child(pid_t pid, bool may_fail, int *ret_status)
{
	pid_t got;

	do
		got = waitpid(-1, ret_status, 0);
	while (got < 0 && errno == EINTR);
	if (got != pid)
		return "a wait finds another child, or none";
	if (*ret_status == WITNESS_STATUS)
		return look_at_report();
	if (may_fail && told_by_itself(*ret_status)) {
		shared->told++;
		return NULL;
	}
	return "the child ended otherwise";
}

/* Fork may say this, where the call of that name failed in the parent. */
static bool may_say(int error)
{
	return error == EAGAIN || error == ENOMEM ||
	       (inject->call && error == inject->error &&
		(!strcmp(inject->call, "clone") ||
		 !strcmp(inject->call, "clone3")));
}

/* NULL, or what is wrong. *ret_rc: errno of fork, or 0, and a status. */
static const char *run_once(const struct fork_way *way, bool armed, int *ret_rc,
			    int *ret_status)
{
	const char *wrong = NULL;
	unsigned bytes;
	pid_t pid;

	report->complete = 0;
	*ret_status = 0;
	if (armed)
		inject_on(inject->side, inject->nth, inject->which);
	else
		inject_on_quietly();
	pid = way->fork();
	*ret_rc = pid < 0 ? errno : 0;
	inject_off();
	if (pid > 0) {
		if (way->let)
			way->let();
		wrong = look_at_child(pid, armed, ret_status);
	}
	bytes = forks_drain();
	if (wrong)
		return wrong;
	if (pid < 0 && (!armed || !may_say(*ret_rc)))
		return "fork says what it should not";
	if (pid < 0 && (report->complete || bytes))
		return "the child ran all the same";
	if (pid > 0 && way->writes && *ret_status == WITNESS_STATUS &&
	    bytes != 1)
		return "the child wrote not once";
	return NULL;
}

/* ---- one case, in a process of its own ---- */

static void complain(const struct fork_way *way, const char *when,
		     const char *what, int rc, int status)
{
	printf("WRONG %s: %s %u, %s=%s, %s: %s (%s, status %#x)\n", way->name,
	       side_name(), inject->nth, inject->call ? inject->call : "none",
	       error_name(inject->error), when, what,
	       rc ? error_name(rc) : "forked", (unsigned)status);
	shared->wrong++;
}

static void have_a_stack(void)
{
	stack_t s = { .ss_sp = stack, .ss_size = sizeof(stack) };

	MUST(!sigaltstack(&s, NULL));
}

static void count(const struct fork_way *way, int rc, int status)
{
	shared->failed++;
	*(rc ? &shared->refused : &shared->started) += 1;
	if (asked.verbose)
		printf("  %s: %s %u %s=%s: %s %#x, %u lazy, %u real, %u "
		       "stand-ins\n",
		       way->name, side_name(), inject->nth, inject->call,
		       error_name(inject->error), rc ? error_name(rc) : "ok",
		       (unsigned)status, inject->made[INJECT_BY_US],
		       inject->made[INJECT_BY_LIBC],
		       inject->made[INJECT_STANDINS]);
}

/* Does it fork as it is meant to, where nothing fails? */
static void look_at_kind(const struct fork_way *way)
{
	unsigned kind;

	for (kind = 0; kind < INJECT_KINDS; kind++)
		if (inject->made[kind] != way->made[kind] &&
		    (kind != INJECT_STANDINS || !way->may_be_slow))
			break;
	if (kind == INJECT_KINDS)
		return;
	printf("WRONG %s: nothing fails, and there are %u lazy, %u real, "
	       "%u stand-ins\n",
	       way->name, inject->made[INJECT_BY_US],
	       inject->made[INJECT_BY_LIBC], inject->made[INJECT_STANDINS]);
	shared->wrong++;
}

static void look_around(const struct fork_way *way, const char *when, int rc,
			int status)
{
	const char *wrong = keep_changed();

	if (!wrong && !forks_intact())
		wrong = "memory";
	if (wrong)
		complain(way, when, wrong, rc, status);
}

static void run_whole(const struct fork_way *way)
{
	int status = 0;
	pid_t pid = forks_whole(), got;

	do
		got = waitpid(-1, &status, 0);
	while (got < 0 && errno == EINTR);
	if (pid < 0 || got != pid || status != CHILD_WHOLE << 8)
		complain(way, "a real fork", "no child, or torn", 0, status);
}

static void run_case(const struct fork_way *way)
{
	const char *wrong;
	int rc, status;

	be_somebody();
	have_a_stack();
	if (way->prepare && !way->prepare()) {
		shared->impossible = true;
		return;
	}
	keep_allow(HOUSES);
	keep_to_plain_waits();
	keep_note();
	wrong = run_once(way, true, &rc, &status);
	if (wrong)
		complain(way, "then", wrong, rc, status);
	if (inject->nth == 0)
		look_at_kind(way);
	if (inject->call)
		count(way, rc, status);
	look_around(way, "afterwards", rc, status);
	wrong = run_once(way, false, &rc, &status);
	if (wrong)
		complain(way, "the next", wrong, rc, status);
	shared->lazy += inject->made[INJECT_BY_US] != 0;
	look_around(way, "after the next", rc, status);
	run_whole(way);
	/* who stood in is seen by nobody, and is waited for by now */
	if (waitpid(-1, NULL, WNOHANG | __WALL) >= 0 || errno != ECHILD)
		complain(way, "at the end", "a child is left", rc, status);
}

/* ---- all cases ---- */

/* A wait status. */
static int in_a_process(const struct fork_way *way)
{
	pid_t pid;

	fflush(stdout);
	pid = libc_fork();
	if (pid == 0) {
		inject_wait_for_tracer();
		run_case(way);
		fflush(stdout);
		_exit(0);
	}
	return inject_trace(pid, HANG_SECONDS);
}

/* Call @nth, with the error @which; false: there is no such call. */
static bool run_one(const struct fork_way *way, enum inject_side side,
		    unsigned nth, unsigned which)
{
	int status;

	inject->side = side;
	inject->nth = nth;
	inject->which = which;
	inject->call = NULL;
	inject->error = 0;
	status = in_a_process(way);
	if (status == 77 << 8)
		exit(77);
	if (status) {
		printf("WRONG %s: %s %u, %s=%s: the process ended, status %#x\n",
		       way->name, side_name(), nth,
		       inject->call ? inject->call : "none",
		       error_name(inject->error), (unsigned)status);
		shared->wrong++;
	}
	return inject->call != NULL;
}

static bool run_call(const struct fork_way *way, enum inject_side side,
		     unsigned nth)
{
	unsigned which = 0;

	if (!asked.all)
		return run_one(way, side, nth, nth);
	while (run_one(way, side, nth, which))
		if (++which >= inject->choices)
			return true;
	return false;
}

/* In a row of the same calls not all are tried. */
static unsigned run_side(const struct fork_way *way, enum inject_side side)
{
	const char *last = NULL;
	unsigned nth = 1, tried = 0, same = 0;

	while (run_call(way, side, nth)) {
		tried++;
		same = last == inject->call ? same + 1 : 0;
		last = inject->call;
		nth += asked.all || same < 4 ? 1 : 7;
	}
	return tried;
}

/* Its place becomes known here, where nobody traces. */
static void teach(const struct fork_way *way)
{
	unsigned i;
	int status;
	pid_t pid;

	for (i = 0; i < way->proofs; i++) {
		pid = way->fork();
		MUST(pid > 0);
		way->let ? way->let() : (void)0;
		MUST(waitpid(pid, &status, 0) == pid &&
		     status == WITNESS_STATUS);
		forks_drain();
	}
}

static void run_way(const struct fork_way *way)
{
	unsigned tried[INJECT_SIDES] = { 0 };
	int side;

	memset(shared, 0, offsetof(typeof(*shared), wrong));
	shared->impossible = false;
	teach(way);
	if (asked.side >= 0) {
		run_one(way, (enum inject_side)asked.side, asked.nth,
			asked.which);
		return;
	}
	run_one(way, INJECT_PARENT, 0, 0);
	if (shared->impossible) {
		printf("%s: not possible here\n", way->name);
		return;
	}
	for (side = 0; side < INJECT_SIDES; side++)
		tried[side] = run_side(way, (enum inject_side)side);
	printf("%s: %u calls of the parent, %u of children, %u of stand-ins; "
	       "%u failures, %u forked, %u refused, %u told by the child; %u "
	       "times the next was lazy\n",
	       way->name, tried[0], tried[1], tried[2], shared->failed,
	       shared->started, shared->refused, shared->told, shared->lazy);
}

static const char *parse(int argc, char **argv)
{
	const char *only = NULL;
	int i;

	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-v")) {
			asked.verbose = true;
		} else if (!strcmp(argv[i], "-a")) {
			asked.all = true;
		} else if (!strcmp(argv[i], "-e")) {
			asked.every = true;
		} else if (!only) {
			only = argv[i];
		} else if (i + 2 < argc) {
			asked.side = atoi(argv[i]);
			asked.nth = (unsigned)atoi(argv[i + 1]);
			asked.which = (unsigned)atoi(argv[i + 2]);
			break;
		}
	}
	return only;
}

/* In a process that can make a session: that of whoever teaches. */
static int run_all(const char *only)
{
	const char *ms = getenv("FLATFORK_BUDGET_MS");
	bool short_budget = ms && atoi(ms) < 1000;
	unsigned i;

	inject_prepare();
	inject->of_fork = true;
	inject->every = asked.every;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(shared != MAP_FAILED);
	be_somebody();
	forks_prepare();
	forks_pipes();
	for (i = 0; i < fork_ways_count; i++)
		if (only ? !strcmp(only, fork_ways[i].name) :
			   fork_ways[i].by_budget == short_budget)
			run_way(&fork_ways[i]);
	printf("%u wrong\n", shared->wrong);
	return shared->wrong != 0;
}

int main(int argc, char **argv)
{
	const char *only = parse(argc, argv);
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	int status;
	pid_t pid;

	if (argc < 2 || !libc) {
		fprintf(stderr, "see the head of test/inject/fork-inject.c\n");
		return 2;
	}
	*(void **)&libc_fork = dlsym(libc, "fork");
	make_scene(argv[1]);
	pid = libc_fork();
	if (pid == 0)
		exit(run_all(only));
	MUST(pid > 0 && waitpid(pid, &status, 0) == pid);
	remove_scene();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
