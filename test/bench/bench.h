/*
 * What the leader of the benchmark and its workers say to each other: an
 * order on the worker's standard input, that many samples on its standard
 * output. Both are this same program; both ends are on one machine, so the
 * structs travel as they are.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

enum order_kind {
	ORDER_FORK,	   /* fork, exec, exit, wait */
	ORDER_VFORK,	   /* the same by vfork */
	ORDER_SPAWN,	   /* the same by posix_spawn */
	ORDER_TOUCH,	   /* rewrite the memory, no child before */
	ORDER_TOUCH_AFTER, /* rewrite it after a forked child has ended */
};

struct order {
	int32_t kind;
	uint32_t count;
};

struct sample {
	int64_t call_ns;  /* the call alone, in the parent */
	int64_t whole_ns; /* until the child is reaped; touch: per page */
};

/* Touch @mib MiB, say so with one sample, then serve orders until the end of
 * standard input. @child is the program to start. Returns an exit status. */
int worker_main(size_t mib, const char *child);

/* All of @bytes, or -1 (end of file included). */
int read_all(int fd, void *to, size_t bytes);
int write_all(int fd, const void *from, size_t bytes);

#endif
