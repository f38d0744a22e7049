/*
 * What the leader has collected, and the lines it becomes.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench.h"

#include <limits.h>
#include <sys/types.h>

enum way {
	PLAIN_FORK,
	FLATFORK,
	VFORK,
	SPAWN,
	WAYS
};

/* touch costs: without a child, after a plain fork, after flatfork's */
enum touched {
	NO_CHILD,
	AFTER_PLAIN,
	AFTER_FLATFORK,
	TOUCHES
};

struct worker {
	pid_t pid;
	int to;
	int from;
	char stats[PATH_MAX]; /* "" for the plain one */
};

struct series {
	double *value;
	size_t count;
};

struct size {
	size_t mib;
	struct worker plain;
	struct worker flat;
	struct series call[WAYS];
	struct series whole[WAYS];
	struct series touch[TOUCHES];
	double median[WAYS]; /* of whole, microseconds */
};

/* The lines of one size; fills in the medians. Without samples under flatfork,
 * only libc's lines. */
void report_size(struct size *s);

/* Flat means: this ratio is 1. The base is 256 MiB, else the first size. Needs
 * the medians of all. */
void report_growth(const struct size *sizes, size_t nr_sizes);

#endif
