/*
 * Programs of many short cases: PROGRAM CASE, or, with threeways.sh -w,
 * PROGRAM fork|vfork CASE. The first word then says how start() makes a
 * child; "fork" is the oracle of what a wrong child of vfork has to do.
 *
 *	CASE(name)
 *	{
 *		...
 *	}
 *
 * is all that there is of a case: it puts itself into the program's table
 * (a section), and its name into the tests (see CMakeLists.txt). CASES_MAIN
 * stands once in the program.
 *
 * A case runs between t_start() and t_end(). A child may come back from its
 * case, too: it ends by returning CHILD_CAME_BACK from main.
 */
#ifndef CASES_H
#define CASES_H

#include "t.h"

#include <string.h>
#include <unistd.h>

/* Not for inlining: the frame is what the case is about. */
#define FRAME __attribute__((noinline, noclone))

#ifndef CASES_MIB
#define CASES_MIB 8
#endif

enum {
	CHILD_CAME_BACK = 33
};

struct a_case {
	const char *name;
	void (*run)(void);
};

/* What a case starts this program for again: no test. */
#define HELPER(name) CASE(name)
#define CASE(case_name)                                            \
	static void run_##case_name(void);                         \
	static const struct a_case case_##case_name                \
		__attribute__((used, section("a_case"))) = {       \
			.name = #case_name, .run = run_##case_name \
		};                                                 \
	static void run_##case_name(void)

extern const struct a_case __start_a_case[], __stop_a_case[];

static pid_t first_pid;
static bool by_fork;

/* A macro: a child that returns from a function that wraps vfork is wrong. */
#define start() (by_fork ? fork() : vfork())

static inline bool is_child(void)
{
	return getpid() != first_pid;
}

static inline int cases_main(int argc, char **argv)
{
	first_pid = getpid();
	if (argc > 2) {
		by_fork = !strcmp(argv[1], "fork");
		argv++;
	}
	for (const struct a_case *c = __start_a_case; c < __stop_a_case; c++) {
		if (argc < 2 || strcmp(c->name, argv[1]))
			continue;
		t_start(CASES_MIB);
		c->run();
		if (is_child())
			return CHILD_CAME_BACK;
		return t_end();
	}
	fprintf(stderr, "no such case; there are:");
	for (const struct a_case *c = __start_a_case; c < __stop_a_case; c++)
		fprintf(stderr, " %s", c->name);
	fprintf(stderr, "\n");
	return 2;
}
#define CASES_MAIN                             \
	int main(int argc, char **argv)        \
	{                                      \
		return cases_main(argc, argv); \
	}

/* Whatever is below is nobody's any more. */
static FRAME __attribute__((unused)) void scribble_below(void)
{
	volatile unsigned char below[4 << 10];

	for (size_t i = 0; i < sizeof(below); i++)
		below[i] = 0xee;
}

#endif
