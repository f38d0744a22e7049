/*
 * Every system call of a spawn fails once with every error it can have, the
 * parent's and the child's, in a process that never spawned before. Then the
 * program was started, and found what it always finds; or there is an error
 * that the call can have caused, and no child. Whatever came of it, the process
 * is as before, and the next spawn works.
 *
 *	spawn-inject WITNESS [-v] [NAME]
 *
 * NAME: of one way to spawn. -v says what became of each. Run with the
 * interposer in LD_PRELOAD; without it, libflatfork alone is looked at. Prints
 * a line for each way. Exit: 0, 1 or 77.
 */
#include "inject.h"
#include "keep.h"
#include "scene.h"
#include "ways.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WITNESS_STATUS (7 << 8)
#define UNTOUCHED (-12345)
#define LIBC_SIGNALS (UINT64_C(3) << 31) /* 32 and 33 */
/* Shared by all processes of the run. */
static struct {
	struct witness first; /* the way's, where nothing failed */
	unsigned failed, started, refused, wrong;
} * shared;

static bool verbose;

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
	struct witness expected = shared->first;

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
	if (!shared->first.complete)
		shared->first = *report;
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

static void complain(const struct way *way, const char *when, const char *what,
		     int rc)
{
	printf("WRONG %s: %s call %u, %s=%s, %s: %s (%s)\n", way->name,
	       way_order.side == INJECT_CHILD ? "child's" : "parent's",
	       way_order.nth, inject->call ? inject->call : "none",
	       strerrorname_np(inject->error), when, what,
	       rc > 0 ? strerrorname_np(rc) : "started");
	shared->wrong++;
}

static void tell(const struct way *way, int rc)
{
	if (verbose)
		printf("  %s: %s %u %s=%s: %s\n", way->name,
		       way_order.side == INJECT_CHILD ? "child" : "parent",
		       way_order.nth, inject->call,
		       strerrorname_np(inject->error),
		       rc ? strerrorname_np(rc) : "started");
}

/* In a process of its own. */
static void run_case(const struct way *way)
{
	const char *wrong;
	int rc;

	be_somebody();
	if (way->prepare)
		way->prepare();
	keep_note();
	way_order.armed = true;
	wrong = run_once(way, &rc);
	if (!wrong && inject->call && rc && !may_say(rc))
		wrong = "another error";
	if (wrong)
		complain(way, "then", wrong, rc);
	if (inject->call) {
		shared->failed++;
		*(rc ? &shared->refused : &shared->started) += 1;
		tell(way, rc);
	}
	wrong = keep_changed();
	if (wrong)
		complain(way, "afterwards", wrong, rc);
	way_order.armed = false;
	wrong = run_once(way, &rc);
	if (wrong || rc)
		complain(way, "the next", wrong ? wrong : "an error", rc);
	wrong = keep_changed();
	if (wrong)
		complain(way, "after the next", wrong, rc);
}

/* A wait status. */
static int in_a_process(const struct way *way)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		inject_wait_for_tracer();
		run_case(way);
		fflush(stdout);
		_exit(0);
	}
	return inject_trace(pid, 60);
}

/* Every error of call @nth; false: there is no such call. */
static bool run_call(const struct way *way, enum inject_side side, unsigned nth)
{
	unsigned which = 0;
	int status;

	do {
		way_order = (struct order){ false, side, nth, which };
		status = in_a_process(way);
		if (status == 77 << 8)
			exit(77);
		if (status) {
			printf("WRONG %s: the process ended, status %#x, "
			       "%s's call %u, %s\n",
			       way->name, status,
			       side == INJECT_CHILD ? "child" : "parent", nth,
			       inject->call ? inject->call : "none");
			shared->wrong++;
			return false;
		}
		if (!inject->call)
			return false;
	} while (++which < inject->choices);
	return true;
}

static void run_way(const struct way *way)
{
	unsigned calls[INJECT_SIDES] = { 0, 0 };
	int side;

	memset(shared, 0, sizeof(*shared) - sizeof(shared->wrong));
	run_call(way, INJECT_PARENT, 0);
	for (side = 0; side < INJECT_SIDES; side++)
		while (run_call(way, side, calls[side] + 1))
			calls[side]++;
	printf("%s: %u calls of the parent, %u of the child; %u failures, "
	       "%u started, %u refused\n",
	       way->name, calls[INJECT_PARENT], calls[INJECT_CHILD],
	       shared->failed, shared->started, shared->refused);
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
	const char *only = NULL;
	unsigned i;
	int wrong;

	for (i = 2; i < (unsigned)argc; i++) {
		if (!strcmp(argv[i], "-v"))
			verbose = true;
		else
			only = argv[i];
	}
	if (argc < 2) {
		fprintf(stderr, "see the head of test/inject/spawn-inject.c\n");
		return 2;
	}
	inject_prepare();
	make_scene(argv[1]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(shared != MAP_FAILED);
	for (i = 0; i < ways_count; i++)
		if ((ours || !ways[i].posix) &&
		    (!only || !strcmp(only, ways[i].name)) &&
		    is_possible(&ways[i]))
			run_way(&ways[i]);
	wrong = (int)shared->wrong;
	remove_scene();
	printf("%d wrong\n", wrong);
	return wrong != 0;
}
