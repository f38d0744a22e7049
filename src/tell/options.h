/* What the user asked for, read once from the environment. */
#ifndef FF_TELL_OPTIONS_H
#define FF_TELL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum ff_fork_mode {
	FF_FORK_AUTO, /* by size and prediction */
	FF_FORK_LAZY, /* wherever it is possible */
	FF_FORK_REAL, /* always libc's */
};

struct ff_options {
	bool on;
	enum ff_fork_mode fork_mode;
	uint64_t min_rss_bytes;
	unsigned budget_ms;
	const char *log;   /* NULL: no log; "stderr"; else a path */
	const char *stats; /* NULL: none; else a path */
};

extern struct ff_options ff_options;

/*
 * Read FLATFORK* from @envp into ff_options. Makes no system call unless a
 * value is bad: then one warning on standard error names it, and the default
 * stands. Strings are borrowed from @envp (copied into static storage).
 * Context: constructor or first interposed call; no allocation, no lock.
 */
void ff_options_load(char *const envp[]);

#endif
