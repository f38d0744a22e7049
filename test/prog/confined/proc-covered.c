/*
 * Another file was mounted over one of the process's own in /proc: what is
 * read there is not what its name says. Argument: the case.
 *
 * Test: -e FLATFORK_LEND=off proc-covered-CASE CASE
 * Test: -e FLATFORK_LEND=off -e FLATFORK_FAULT=commit-all
 *       proc-covered-committed-CASE CASE
 */
#include "cases.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

enum {
	CHILDREN = 5
};

/* The thread's, too: it is another name of the same. */
static void cover(const char *name, const char *with)
{
	char path[64];

	if (unshare(CLONE_NEWNS) < 0)
		t_skip("no mount namespace to be had");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)getpid(), name);
	CHECK(mount(with, path, NULL, MS_BIND, NULL) == 0);
}

static void look(void)
{
	t_exec_say("finds its memory: %d", t_intact(t_area, t_area_bytes));
}

static void say_and_look(void)
{
	CHECK(write(1, "said\n", 5) == 5);
	look();
}

/* No exec: who is committed gets all its memory at once. */
static void say_wait_and_look(void)
{
	CHECK(write(1, "said\n", 5) == 5);
	usleep(1000);
	_exit(t_intact(t_area, t_area_bytes) ? 3 : 4);
}

static void children(void (*child)(void))
{
	pid_t pid;
	int i;

	for (i = 0; i < CHILDREN; i++) {
		pid = t_fork();
		if (pid == 0)
			child();
		t_reap(pid, "child");
	}
}

CASE(memory)
{
	cover("mem", "/dev/zero");
	children(look);
	children(say_and_look);
}

CASE(memory_empty)
{
	cover("mem", "/dev/null");
	children(look);
	children(say_and_look);
}

CASE(pages)
{
	cover("pagemap", "/dev/zero");
	children(say_wait_and_look);
}

static volatile int *counter;

static void count_and_say(void)
{
	++*counter;
	CHECK(write(1, "said\n", 5) == 5);
	t_exec_say("counted");
}

/* Shared memory that is in no list is written by a trial, and again. */
CASE(mappings)
{
	counter = t_shared(4096);
	cover("maps", "/dev/null");
	children(count_and_say);
	printf("counted: %d\n", *counter);
}

CASES_MAIN
