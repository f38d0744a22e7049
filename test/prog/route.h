/*
 * fork() by one route, again and again: routes that are known are lent their
 * parent's memory. One child may do what the others did not.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "cases.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

enum {
	AFTER_ODD = 4
};

static int round_nr, odd_round = -1, odd_status;
static pid_t odd_pid;
static void (*odd_child)(void);	 /* what the child of that round does */
static bool odd_comes_back;	 /* and then it returns, in place of exec */
static void (*odd_parent)(void); /* what its parent does meanwhile */

/* The children change words of this frame and of the one above; the parent
 * looks. */
static FRAME int one_fork(volatile long *above)
{
	static char *const no_environ[] = { NULL };
	volatile long word = 0x1234;
	int status = -1;
	pid_t pid;

	errno = 0;
	pid = fork();
	if (pid == 0) {
		word = round_nr;
		*above = round_nr;
		errno = ERANGE;
		if (round_nr == odd_round) {
			odd_child();
			if (odd_comes_back)
				return 77; /* and so does its caller */
		}
		execle(t_report, "report", "exit", "7", (char *)NULL,
		       no_environ);
		_exit(99);
	}
	CHECK(errno == 0 && word == 0x1234 && *above == 0x4321);
	if (round_nr == odd_round)
		odd_pid = pid;
	if (round_nr == odd_round && odd_parent)
		odd_parent();
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	if (WIFSTOPPED(status)) {
		printf("stopped by %d\n", WSTOPSIG(status));
		kill(pid, SIGCONT);
		CHECK(waitpid(pid, &status, 0) == pid);
	}
	return status;
}

static void rounds(int n)
{
	/* more of it than arguments might take up */
	volatile long above[64] = { [63] = 0x4321 };
	int status, exits = 0;

	for (round_nr = 0; round_nr < n; round_nr++) {
		status = one_fork(&above[63]);
		if (is_child()) {
			printf("child: came back with %d\n", status);
			exit(3);
		}
		if (round_nr == odd_round)
			odd_status = status;
		exits += status == 7 << 8;
	}
	printf("%d of %d\n", exits, n);
}

/* T_ROUNDS, or as many. */
static inline int rounds_or(int n)
{
	const char *longer = getenv("T_ROUNDS");

	return longer ? atoi(longer) : n;
}

/* All by one route: @before children, T_ROUNDS if that is set, @child, a few
 * more. */
static inline void with_an_odd_one(void (*child)(void), int before)
{
	odd_round = rounds_or(before);
	odd_child = child;
	rounds(odd_round + 1 + AFTER_ODD);
	printf("odd: %s %d\n", WIFEXITED(odd_status) ? "exit" : "signal",
	       WIFEXITED(odd_status) ? WEXITSTATUS(odd_status) :
				       WTERMSIG(odd_status));
}

#endif
