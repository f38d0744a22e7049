/*
 * Every system call of a spawn fails once with every error it can have, the
 * parent's and the child's, in a process that never spawned before. Then the
 * program was started, and found what it always finds; or there is an error
 * that the call can have caused, and no child. Whatever came of it, the process
 * is as before, and the next spawn works.
 *
 *	spawn-inject WITNESS [-v] [NAME [SIDE NTH WHICH]]
 *
 * NAME: of one way to spawn. -v says what became of each. Run with the
 * interposer in LD_PRELOAD; without it, libflatfork alone is looked at. Prints
 * a line for each way. Exit: 0, 1 or 77.
 */
#include "cases.h"
#include "inject.h"
#include "keep.h"
#include "scene.h"
#include "ways.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WITNESS_STATUS (7 << 8)
#define UNTOUCHED (-12345)
#define LIBC_SIGNALS (UINT64_C(3) << 31) /* 32 and 33 */

static struct witness *first; /* shared: the way's, where nothing failed */

/* ---- what the witness found ---- */

/* Where clone3 is not to be had, a child of posix_spawn ignores libc's signals,
 * as libc's own does, from glibc 2.38 on then only. */
static bool is_without_clone3(const struct way *way)
{
	return way->posix && inject->call && !strcmp(inject->call, "clone3") &&
	       inject->error != EAGAIN && inject->error != ENOMEM;
}

static const char *compare(const struct way *way)
{
	struct witness expected = *first;

	if (is_without_clone3(way))
		expected.ignored |= LIBC_SIGNALS;
	return memcmp(&expected, report, sizeof(*report)) ?
		       "the program found something else" :
		       NULL;
}

/* Reap it; NULL, or what is wrong with it. */
static const char *look_at_child(const struct way *way, int child)
{
	siginfo_t info = { .si_pid = 0 };
	int status;

	if (way->pidfd) {
		if (waitid(P_PIDFD, (id_t)child, &info, WEXITED))
			return "the pidfd is of no use";
		status = info.si_code == CLD_EXITED ? info.si_status << 8 : 1;
		close(child);
	} else if (waitpid(child, &status, 0) != child) {
		return "no child";
	}
	if (status != WITNESS_STATUS || !report->complete)
		return "the program did not run";
	make_comparable(report);
	if (!first->complete)
		*first = *report;
	return compare(way);
}

/* ---- one spawn ---- */

static bool is_call(const char *name)
{
	return !strcmp(inject->call, name);
}

/* Errors of steps that are tried another way, or told by another name. */
static bool may_say(int rc)
{
	if (rc == inject->error)
		return true;
	/* a search goes on, and what it says is of all places */
	return is_call("execve") && rc == ENOENT;
}

/* NULL, or what is wrong. @rc: what came back. */
static const char *run_once(const struct way *way, int *ret_rc)
{
	int child = UNTOUCHED, saved = 4711;
	const char *wrong = NULL;

	report->complete = 0;
	errno = saved;
	*ret_rc = way->run(&child);
	if (*ret_rc == 0)
		wrong = look_at_child(way, child);
	else if (*ret_rc < 0)
		wrong = "nonsense came back";
	else if (child != UNTOUCHED)
		wrong = "a child was told of with an error";
	else if (report->complete)
		wrong = "the program ran all the same";
	tcsetpgrp(FD_TERMINAL, getpid());
	return wrong;
}

static const char *outcome_of(int rc)
{
	return rc > 0 ? cases_error_name(rc) : "started";
}

/* In a process of its own. */
static void run_case(const void *arg)
{
	const struct way *way = arg;
	const char *wrong;
	int rc;

	be_somebody();
	if (way->prepare)
		way->prepare();
	keep_note();
	ways_fail = true;
	wrong = run_once(way, &rc);
	if (!wrong && inject->call && rc && !may_say(rc))
		wrong = "another error";
	if (wrong)
		cases_wrong("then", wrong, outcome_of(rc));
	if (inject->call)
		cases_tell(rc != 0, outcome_of(rc));
	wrong = keep_changed();
	if (wrong)
		cases_wrong("afterwards", wrong, outcome_of(rc));
	ways_fail = false;
	wrong = run_once(way, &rc);
	if (wrong || rc)
		cases_wrong("the next", wrong ? wrong : "an error",
			    outcome_of(rc));
	wrong = keep_changed();
	if (wrong)
		cases_wrong("after the next", wrong, outcome_of(rc));
}

static void run_way(const struct way *way)
{
	const struct subject subject = { way->name, run_case, way, 60 };
	unsigned tried[INJECT_SIDES];

	memset(first, 0, sizeof(*first));
	cases_run_whole(&subject);
	cases_run(&subject, tried);
	printf("%s: %u calls of the parent, %u of the child; %u failures, "
	       "%u started, %u refused\n",
	       way->name, tried[INJECT_PARENT], tried[INJECT_CHILD],
	       cases_count->failed, cases_count->started, cases_count->refused);
}

static bool may_have_new_user(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) != 0);
	waitpid(pid, &status, 0);
	return status == 0;
}

static bool is_possible(const struct way *way)
{
	if (!way->new_user || may_have_new_user())
		return true;
	printf("%s: no user namespaces here\n", way->name);
	return false;
}

int main(int argc, char **argv)
{
	bool ours = dlsym(RTLD_DEFAULT, "pidfd_spawn") != NULL;
	const char *only;
	unsigned i;

	if (argc < 2) {
		fprintf(stderr, "see the head of test/inject/spawn-inject.c\n");
		return 2;
	}
	cases_asked.all = true;
	cases_parse(argc - 2, argv + 2);
	only = cases_asked.only;
	cases_prepare();
	first = cases_share(sizeof(*first));
	make_scene(argv[1]);
	for (i = 0; i < ways_count; i++)
		if ((ours || !ways[i].posix) &&
		    (!only || !strcmp(only, ways[i].name)) &&
		    is_possible(&ways[i]))
			run_way(&ways[i]);
	remove_scene();
	printf("%u wrong\n", cases_count->wrong);
	return cases_count->wrong != 0;
}
