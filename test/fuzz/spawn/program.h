/*
 * A random call of posix_spawn: attributes, actions, what to start and how.
 * Made once, then carried out by each implementation.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include "impl.h"
#include "rng.h"

#include <signal.h>
#include <sys/types.h>

enum {
	PROGRAM_ACTIONS = 10,
	PROGRAM_GETTERS = 8,
};

enum action_kind {
	ACTION_OPEN,
	ACTION_CLOSE,
	ACTION_DUP2,
	ACTION_CHDIR,
	ACTION_FCHDIR,
	ACTION_CLOSEFROM,
	ACTION_TCSETPGRP,
};

struct action {
	enum action_kind kind;
	int fd, fd2, oflag;
	mode_t mode;
	const char *path;
	bool posix_name; /* addchdir rather than addchdir_np */
};

struct program {
	bool has_attr, has_actions, search, pidfd;
	short flags;
	sigset_t mask, defaults;
	pid_t pgroup;
	int policy;
	int priority;
	unsigned settings; /* which of the above are set, a bit each */
	int nr_actions;
	struct action actions[PROGRAM_ACTIONS];
	const char *file;
	char **argv, **envp;
	const char *path; /* PATH; NULL: unset */
};

/* What the calls that build the objects said. */
struct built {
	int set[6], get[PROGRAM_GETTERS], add[PROGRAM_ACTIONS];
	short flags;
	uint64_t mask, defaults;
	pid_t pgroup;
	int policy, priority;
};

/* The one of @seed and @index. Strings are static. */
void program_make(struct program *ret, struct rng *r);
void program_print(const struct program *p);

/* Build the objects with @impl, spawn. Returns what posix_spawn returned;
 * *ret_child is the pid, or the descriptor of the process (->pidfd), and
 * untouched if @impl left it so. */
int program_run(const struct program *p, const struct impl *impl,
		struct built *ret_built, int *ret_child);

#endif
