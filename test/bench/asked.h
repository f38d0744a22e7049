/*
 * Workers: programs started anew, that all live at the same time and are asked
 * in turn, so that whatever else the machine does falls on all of them alike.
 * An answer is a struct, the same for all questions. Whatever fails ends the
 * benchmark, and is named.
 */
#ifndef FF_BENCH_ASKED_H
#define FF_BENCH_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct asked {
	const char *name;
	pid_t pid;
	int to, from;
};

_Noreturn void die(const char *what);
int64_t now_ns(void);

/* The path of this program. */
const char *asked_self(void);

/* @become, in the new process, execs it. Its first answer is that it is there:
 * it is @bytes long. */
void asked_start(struct asked *w, const char *name,
		 void (*become)(const void *arg), const void *arg,
		 size_t bytes);
void asked_ask(const struct asked *w, void *ret_answer, size_t bytes);
/* Until it has ended. */
void asked_end(const struct asked *w);

/* In the worker: say that, and wait for the next question; false: no more. */
bool asked_again(const void *answer, size_t bytes);

#endif
