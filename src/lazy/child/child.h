/*
 * The child's side of a lazy fork, from the clone to exec. It is a process
 * of its own, in which one thread runs at a time; what it knows of itself is
 * one static struct.
 */
#ifndef FF_LAZY_CHILD_CHILD_H
#define FF_LAZY_CHILD_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "host/held.h"
#include "host/signals.h"
#include "lazy/child/exec.h"
#include "lazy/child/thread.h"
#include "lazy/slot.h"

#define FF_OWN_FDS 1024
#define FF_RAISED 4

struct ff_child {
	bool committed;	  /* can't be taken back any more */
	bool unsent;	  /* its end sends nothing (H-D10) */
	bool latched;	  /* it has told that its rights may change (H-I2) */
	bool names_files; /* behind the fence it would not stay (H-F5) */
	struct ff_slot *slot;
	struct ff_shared *shared;
	struct ff_areas *areas;
	uint64_t *present; /* a bit per cluster: fetched */
	pid_t parent;
	/* The parent's, if they could be opened, or -1. */
	int mem, pagemap;

	/* The program's view of what is ours until exec. */
	ff_sigset mask;
	stack_t stack;
	struct ff_sigaction segv, sys;
	/* ... and where it handles one of these, too (lazy/child/raised.h). */
	struct {
		ff_sigset ours;
		struct ff_sigaction kept[FF_RAISED];
	} raised;
	/* Its robust list, and our entry in it; NULL: none. */
	struct ff_robust_head *robust;
	struct ff_robust_list *entry;
	struct ff_exec exec;
	struct ff_thread thread;

	/* Descriptors the child opened itself, of regular files or
	 * directories: reading moves nobody's offset but its own. */
	uint64_t own_fd[FF_OWN_FDS / 64];
	/* ... and pipes, socket pairs and eventfds it made: nobody else has
	 * the other end. */
	uint64_t own_pipe[FF_OWN_FDS / 64];
	/* ... and epoll sets, which have nothing else in them. */
	uint64_t own_set[FF_OWN_FDS / 64];
};

extern struct ff_child ff_child;

/* Stand up, in the SIGSYS handler in which the clone was made. */
void ff_child_begin(struct ff_slot *slot, const struct ff_held *mem,
		    const struct ff_held *pagemap);

/*
 * The child can't go on like this. On trial: take it back; does not return.
 * Committed: fetch everything, become an ordinary process, and let the
 * thread execute the same instruction again when the handler returns.
 * @call: the trapped system call, or -1 in a fault.
 */
void ff_child_leave(ucontext_t *uc, enum ff_reason reason, long call);

/* A SIGSYS came: is it the parent's, who wants the child to leave? */
bool ff_child_takes_asking(const siginfo_t *info);

/* On the program's stack, in the first handler that libc's fork runs in it. */
void ff_child_is_out(void);

/* close() of the program, made without a trap; sets errno. */
int ff_child_close(int fd);

/* Before execve; does not return if the child was cancelled. */
void ff_child_enter_exec(void);
/* It is not in execve any more. False: it was not before. */
bool ff_child_left_exec(void);

#endif
