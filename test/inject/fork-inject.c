/*
 * Every system call of a fork fails once: the parent's, its children's, and
 * those of a process that stands in. Then there is one child that finds what
 * it always finds, or fork says EAGAIN or ENOMEM, and there is none. Whatever
 * came of it, the process is as before, and so is the next fork.
 *
 *	fork-inject WITNESS GROUP [-v] [-a] [-e] [NAME [SIDE NTH WHICH]]
 *
 * GROUP: of ways to fork, as forks.h has them; run with the interposer in
 * LD_PRELOAD and
 *	lazy	FLATFORK_FORK=lazy FLATFORK_LEND=off FLATFORK_BUDGET_MS=3000
 *	budget	the same with FLATFORK_BUDGET_MS=30
 *	vfork	nothing else
 *	lent	FLATFORK_FORK=lazy FLATFORK_FAULT=fence-all
 * NAME: of one of the ways. -a: with every error that a call can have; without
 * it, one each, and of many calls of one kind in a row not all. -e: for good, all
 * later calls of its kind fail, too; then a child may die for want of memory.
 * -v says what became of each. Prints a line for each way. Exit: 0, 1 or 77.
 */
#include "cases.h"
#include "child.h"
#include "forks.h"
#include "inject.h"
#include "keep.h"
#include "scene.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define WITNESS_STATUS (7 << 8)
#define HANG_SECONDS 60
#define HOUSES ((size_t)2 << 20) /* what lazy forks and loans keep mapped */

/* Shared by all processes of the run: of one way. */
static struct {
	struct witness first; /* where nothing failed */
	unsigned told, lazy;
	bool impossible;
} * shared;

static char stack[64 << 10];

/* ---- one fork ---- */

/* Did the child fail by a call that it made itself? */
static bool told_by_itself(int status)
{
	static const char *const calls[] = { "write",
					     "read",
					     "dup2",
					     "close",
					     "execve",
					     "mmap",
					     "munmap",
					     "mprotect",
					     "rt_sigprocmask",
					     "rt_sigaction",
					     "setresuid",
					     "setitimer",
					     "setpgid",
					     "sched_setaffinity",
					     "sched_getaffinity" };
	size_t i;

	if (status != CHILD_REFUSED << 8 || !inject->call ||
	    inject->side != INJECT_CHILD)
		return false;
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(inject->call, calls[i]))
			return true;
	return false;
}

/* For want of memory, which it was refused for good, or of a process of its
 * own (H-O5). */
static bool died_of_want(const struct fork_way *way, int status)
{
	return (inject->every || way->becomes) &&
	       inject->side != INJECT_PARENT && status == SIGKILL;
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
static const char *look_at_child(const struct fork_way *way, pid_t pid,
				 bool may_fail, int *ret_status)
{
	pid_t got;

	do
		got = waitpid(-1, ret_status, 0);
	while (got < 0 && errno == EINTR);
	if (got != pid)
		return "a wait finds another child, or none";
	if (*ret_status == WITNESS_STATUS)
		return look_at_report();
	if (may_fail &&
	    (told_by_itself(*ret_status) || died_of_want(way, *ret_status))) {
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
		wrong = look_at_child(way, pid, armed, ret_status);
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

static const char *outcome_of(int rc, int status)
{
	static char text[128];

	snprintf(text, sizeof(text),
		 "%s, status %#x, %u lazy, %u real, %u stand-ins",
		 rc ? cases_error_name(rc) : "forked", (unsigned)status,
		 inject->made[INJECT_BY_US], inject->made[INJECT_BY_LIBC],
		 inject->made[INJECT_STANDINS]);
	return text;
}

static void have_a_stack(void)
{
	stack_t s = { .ss_sp = stack, .ss_size = sizeof(stack) };

	MUST(!sigaltstack(&s, NULL));
}

/* Does it fork as it is meant to, where nothing fails? */
static void look_at_kind(const struct fork_way *way, const char *outcome)
{
	unsigned kind;

	for (kind = 0; kind < INJECT_KINDS; kind++)
		if (inject->made[kind] != way->made[kind] &&
		    (kind != INJECT_STANDINS || !way->may_be_slow))
			break;
	if (kind < INJECT_KINDS)
		cases_wrong("then", "it is made another way", outcome);
}

static void look_around(const char *when, const char *outcome)
{
	const char *wrong = keep_changed();

	if (!wrong && !forks_intact())
		wrong = "memory";
	if (wrong)
		cases_wrong(when, wrong, outcome);
}

static void run_real(void)
{
	int status = 0;
	pid_t pid = forks_whole(), got;

	do
		got = waitpid(-1, &status, 0);
	while (got < 0 && errno == EINTR);
	if (pid < 0 || got != pid || status != CHILD_WHOLE << 8)
		cases_wrong("a real fork", "no child, or torn",
			    outcome_of(pid < 0 ? errno : 0, status));
}

static void run_case(const void *arg)
{
	const struct fork_way *way = arg;
	const char *wrong, *outcome;
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
	outcome = outcome_of(rc, status);
	if (wrong)
		cases_wrong("then", wrong, outcome);
	if (inject->nth == 0)
		look_at_kind(way, outcome);
	if (inject->call)
		cases_tell(rc != 0, outcome);
	look_around("afterwards", outcome);
	wrong = run_once(way, false, &rc, &status);
	outcome = outcome_of(rc, status);
	if (wrong)
		cases_wrong("the next", wrong, outcome);
	shared->lazy += inject->made[INJECT_BY_US] != 0;
	look_around("after the next", outcome);
	run_real();
	/* who stood in is seen by nobody, and is waited for by now */
	if (waitpid(-1, NULL, WNOHANG | __WALL) >= 0 || errno != ECHILD)
		cases_wrong("at the end", "a child is left", outcome);
}

/* ---- all cases ---- */

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
	const struct subject subject = { way->name, run_case, way,
					 HANG_SECONDS };
	unsigned tried[INJECT_SIDES];

	memset(shared, 0, sizeof(*shared));
	teach(way);
	cases_run_whole(&subject);
	if (shared->impossible) {
		printf("%s: not possible here\n", way->name);
		return;
	}
	cases_run(&subject, tried);
	printf("%s: %u calls of the parent, %u of children, %u of stand-ins; "
	       "%u failures, %u forked, %u refused, %u told by the child; %u "
	       "times the next was lazy\n",
	       way->name, tried[0], tried[1], tried[2], cases_count->failed,
	       cases_count->started, cases_count->refused, shared->told,
	       shared->lazy);
}

static enum fork_group group;

static bool is_to_run(const struct fork_way *way)
{
	const char *only = cases_asked.only;

	return way->group == group && (!only || !strcmp(only, way->name)) &&
	       !(way->hangs && inject->every);
}

static unsigned run_those(const struct fork_way *ways, unsigned count)
{
	unsigned i, run = 0;

	for (i = 0; i < count; i++) {
		if (!is_to_run(&ways[i]))
			continue;
		run_way(&ways[i]);
		run++;
	}
	return run;
}

/* In a process that can make a session: that of whoever teaches. */
static int run_all(void)
{
	unsigned run;

	inject->of_fork = true;
	shared = cases_share(sizeof(*shared));
	be_somebody();
	forks_prepare();
	forks_pipes();
	run = run_those(fork_ways, fork_ways_count) +
	      run_those(lent_ways, lent_ways_count);
	if (run == 0) {
		fprintf(stderr, "no way of this group has that name\n");
		return 2;
	}
	printf("%u wrong\n", cases_count->wrong);
	return cases_count->wrong != 0;
}

static bool parse_group(const char *name)
{
	static const char *const names[FORK_GROUPS] = {
		[FORKS_LAZY] = "lazy",
		[FORKS_BY_BUDGET] = "budget",
		[FORKS_BY_VFORK] = "vfork",
		[FORKS_LENT] = "lent",
	};

	while (group < FORK_GROUPS && strcmp(names[group], name))
		group++;
	return group < FORK_GROUPS;
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc < 3 || !parse_group(argv[2])) {
		fprintf(stderr, "see the head of test/inject/fork-inject.c\n");
		return 2;
	}
	cases_parse(argc - 3, argv + 3);
	cases_prepare();
	make_scene(argv[1]);
	pid = cases_fork();
	if (pid == 0)
		exit(run_all());
	MUST(pid > 0 && waitpid(pid, &status, 0) == pid);
	remove_scene();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
