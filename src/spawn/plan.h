/*
 * What a child does between its birth and exec: attributes, then actions,
 * then what has to be last, then the exec. The parent decodes everything into
 * this before the clone; the child walks it and writes nothing but report.
 */
#ifndef FF_SPAWN_PLAN_H
#define FF_SPAWN_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "host/signals.h"

/*
 * id, how errors name it, which argument they show (a path in text, a number
 * in number, a descriptor in fd), and what it does to the table of
 * descriptors: changes it, reads it, or neither.
 */
#define FF_STEPS(X)                                          \
	X(CLOSE, "close", FD, CHANGES)                       \
	X(DUP2, "dup2", FDS, CHANGES)                        \
	X(OPEN, "open", TEXT, CHANGES)                       \
	X(CHDIR, "chdir", TEXT, READS)                       \
	X(FCHDIR, "fchdir", FD, READS)                       \
	X(CLOSEFROM, "closefrom", FD, CHANGES)               \
	X(CLOSERANGE, "close_range", FDS, CHANGES)           \
	X(SAVE, "dup", FD, CHANGES)                          \
	X(RESTORE, "dup2 of the saved one to", FD, CHANGES)  \
	X(TCSETPGRP, "tcsetpgrp", FD, READS)                 \
	X(SIGDEF, "signals to default", NONE, NEITHER)       \
	X(SIGIGN, "signals to ignore", NONE, NEITHER)        \
	X(SCHEDPARAM, "sched_setparam", NUMBER, NEITHER)     \
	X(SCHEDULER, "sched_setscheduler", NUMBER, NEITHER)  \
	X(SETSID, "setsid", NONE, NEITHER)                   \
	X(SETPGID, "setpgid", NUMBER, NEITHER)               \
	X(RESETIDS, "reset of effective ids", NONE, NEITHER) \
	X(UMASK, "umask", NUMBER, NEITHER)                   \
	X(RLIMIT, "setrlimit", FD, NEITHER)                  \
	X(NICE, "setpriority", NUMBER, NEITHER)              \
	X(IOPRIO, "ioprio_set", NUMBER, NEITHER)             \
	X(AFFINITY, "sched_setaffinity", NONE, NEITHER)      \
	X(WRITE, "write to", TEXT, CHANGES)                  \
	X(CTTY, "controlling terminal", FD, READS)           \
	X(GROUPS, "setgroups", NONE, NEITHER)                \
	X(GID, "setresgid", NUMBER, NEITHER)                 \
	X(UID, "setresuid", NUMBER, NEITHER)                 \
	X(NNP, "no_new_privs", NONE, NEITHER)                \
	X(PDEATHSIG, "signal at the parent's death", NUMBER, NEITHER)

enum ff_step_kind {
#define X(id, name, shows, table) FF_STEP_##id,
	FF_STEPS(X)
#undef X
	FF_STEP_COUNT
};

struct ff_step {
	uint8_t kind;
	int fd;	    /* a descriptor, or the kind of limit */
	int number; /* dup2's target, open's flags, a count, an id, ... */
	union {
		const char *text;  /* a path */
		const void *data;  /* by kind */
		ff_sigset signals; /* SIGDEF, SIGIGN */
		int parameter;	   /* a scheduling priority */
	};
	union {
		mode_t mode;	     /* OPEN */
		const char *written; /* WRITE: what */
	};
};

struct ff_steps {
	const struct ff_step *step;
	unsigned count;
};

enum ff_phase {
	FF_PHASE_ATTRIBUTES,
	FF_PHASE_ACTIONS,
	FF_PHASE_LAST,
	FF_PHASE_COUNT,
	FF_PHASE_EXEC = FF_PHASE_COUNT,
	FF_PHASE_CLONE, /* there was no child */
};

/* Written by the child, read by the parent once the child is gone. */
struct ff_report {
	int error; /* an errno; 0: all went well */
	uint8_t phase;
	unsigned index; /* of the step in its phase */
};

/* The way the child gets its descriptors. */
enum ff_files {
	FF_FILES_COPY,	  /* a copy, as fork gives it */
	FF_FILES_SHARE,	  /* the parent's: exec makes the copy */
	FF_FILES_UNSHARE, /* the parent's, then a copy of those below a number */
};

/* What children inherit of libc's own signals, 32 and 33. */
enum ff_libc_signals {
	FF_LIBC_SIGNALS_STAY,
	FF_LIBC_SIGNALS_IGNORED_WITHOUT_CLONE3, /* glibc from 2.38 on */
	FF_LIBC_SIGNALS_IGNORED,		/* before */
};

/* What a child needs and its program must not see. */
enum ff_hidden {
	FF_HIDDEN_REPORT, /* the end of a pipe, where memory is not shared */
	FF_HIDDEN_PARENT, /* a pidfd of its parent, for PDEATHSIG */
	FF_HIDDEN_COUNT,
};

struct ff_libc_action;

struct ff_plan {
	/* Written by the parent before the clone, then read-only. */
	const char *file;
	const char *search; /* PATH; NULL: file is the path */
	bool short_names;   /* ENAMETOOLONG before any place is looked at */
	char *const *argv;
	char *const *envp;
	ff_sigset mask;	  /* for the program */
	bool mask_is_set; /* else it is the calling thread's */
	struct ff_steps steps[FF_PHASE_COUNT]; /* see ff_step_at() */
	/* libc's, in place of the actions' steps; or NULL */
	const struct ff_libc_action *libc_actions;
	int unshare_from;   /* with FF_FILES_UNSHARE */
	unsigned skip;	    /* this action is done by that; UINT_MAX: none */
	unsigned closefrom; /* which action that was for */
	const int *pidfd;   /* where the kernel put it, if that is not the
			     child's to see; else NULL */
	int parent;	    /* its pid, for PDEATHSIG */
	int report_end;	    /* where memory is not shared: see below */
	bool handlers;	    /* the kernel left them: reset them */
	bool no_core;	    /* no core dump before exec (H-S6) */
	enum ff_libc_signals libc_signals;

	/* Moved by the child: descriptors that do not exist for the program. */
	int hidden[FF_HIDDEN_COUNT]; /* or -1 */

	/* Written by the child. */
	int saved;	    /* SAVE's descriptor, for RESTORE */
	struct rlimit core; /* with no_core: the program's limit */
	struct ff_report report;
};

/* Which way descriptors go, and what it needs in @plan. */
enum ff_files ff_plan_files(struct ff_plan *plan);

/* Is the child to be told when its parent dies? */
bool ff_plan_ties_to_parent(const struct ff_plan *plan);

/* Does a step change credentials, and with them the dumpable flag? */
bool ff_plan_changes_ids(const struct ff_plan *plan);

#endif
