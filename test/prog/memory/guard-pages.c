/*
 * Guard pages that are no mappings of their own (MADV_GUARD_INSTALL, Linux
 * 6.13), as stacks of threads have them: a child has the memory around them,
 * and the guard itself. Children that write and then exec, at one place, so
 * that they get to be born committed. Argument: what the last one does.
 *
 * Test: -l guard-pages-CASE CASE
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-guard-pages-CASE CASE
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-readv guard-pages-not-served-CASE CASE
 */
#include "t.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum {
	PAGE = 4096,
	GUARD = 100, /* a page of t_area */
	CHILDREN = 9,
};

static int around(void)
{
	const unsigned char *guard = t_area + GUARD * PAGE;

	return t_intact(guard - PAGE, PAGE) && t_intact(guard + PAGE, PAGE);
}

static void reads_around(void)
{
	if (!around())
		_exit(5);
}

static void reads_guard(void)
{
	reads_around();
	_exit(*(volatile unsigned char *)(t_area + GUARD * PAGE) ? 6 : 7);
}

/* Its own child makes it an ordinary process. */
static void let_go(void)
{
	pid_t pid = fork();

	if (pid == 0)
		reads_guard();
	t_reap(pid, "its child");
	fflush(stdout);
	reads_guard();
}

/* Stops who tells its pid, and says so to the parent, which lets it go on. */
static int to_stopper, from_stopper;

static pid_t start_stopper(void)
{
	int to[2], from[2];
	pid_t pid, who;

	CHECK(!pipe(to) && !pipe(from));
	pid = fork();
	if (pid == 0) {
		close(to[1]);
		while (read(to[0], &who, sizeof(who)) == sizeof(who)) {
			kill(who, SIGSTOP);
			CHECK(write(from[1], &who, sizeof(who)) == sizeof(who));
		}
		_exit(0);
	}
	CHECK(pid > 0);
	close(to[0]);
	close(from[1]);
	to_stopper = to[1];
	from_stopper = from[0];
	return pid;
}

static void let_go_on(void)
{
	pid_t who;

	CHECK(read(from_stopper, &who, sizeof(who)) == sizeof(who));
	CHECK(!kill(who, SIGCONT));
}

/* In no call: its memory is filled by its parent meanwhile. */
static void stopped(void)
{
	struct timespec from, now;
	pid_t pid = getpid();

	CHECK(write(to_stopper, &pid, sizeof(pid)) == sizeof(pid));
	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec -
		       from.tv_nsec <
	       60000000);
	reads_around();
}

static const struct {
	const char *name;
	void (*last)(void);
} cases[] = {
	T_CASE("around", reads_around),
	T_CASE("guard", reads_guard),
	T_CASE("let-go", let_go),
	/*
	 * Test: guard-pages-CASE CASE
	 * Test: -d -e T_HIDEPID=1 -e FLATFORK_LEND=off hidden-guard-pages-CASE CASE
	 */
	T_CASE("stopped", stopped),
};

int main(int argc, char **argv)
{
	unsigned char *guard;
	size_t which = 0;
	pid_t pid, stopper;

	while (which < 3 && strcmp(cases[which].name, argv[argc - 1]) != 0)
		which++;
	t_start(64);
	guard = t_area + GUARD * PAGE;
	if (madvise(guard, PAGE, MADV_GUARD_INSTALL))
		t_skip("no guard pages here");
	stopper = start_stopper();
	for (int i = 1; i <= CHILDREN; i++) {
		pid = t_fork();
		if (pid == 0) {
			CHECK(write(1, "child\n", 6) == 6);
			if (i == CHILDREN)
				cases[which].last();
			t_exec_say("exec'ed");
		}
		if (i == CHILDREN && cases[which].last == stopped)
			let_go_on();
		t_reap(pid, "child");
	}
	close(to_stopper);
	close(from_stopper);
	t_reap(stopper, "stopper");
	CHECK(!munmap(guard, PAGE));
	CHECK(mmap(guard, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == guard);
	t_fill(guard, PAGE);
	return t_end();
}
