/*
 * What a borrower needs to become a fork. All of it runs in borrowed memory,
 * and in the new process from the moment libc's fork returns there.
 */
#ifndef FF_LEND_CHILD_BECOME_H
#define FF_LEND_CHILD_BECOME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <ucontext.h>

struct ff_loan;

/*
 * By @fork_function, libc's. Returns in the new process alone, with all
 * signals blocked and the mask of the program in loan->own_mask; the loan is
 * its own, too. @why: for the log.
 */
void ff_become(struct ff_loan *loan, pid_t (*fork_function)(void),
	       const char *why);

/*
 * In a signal handler. @uc is where the new process goes on: in a call that
 * was interrupted by @sig, for the program's handler; @sig is 0 for another
 * reason.
 */
void ff_become_in_handler(struct ff_loan *loan, ucontext_t *uc, int sig,
			  const char *why);

/* The system calls of libc's fork, which dispatch brings here. */
void ff_become_call(struct ff_loan *loan, ucontext_t *uc, long nr);

/*
 * The parent's dispositions and alternate stack, into the loan. A parent that
 * was killed answers nothing: then there are none, and the memory is the
 * borrower's.
 */
void ff_ask_state(struct ff_loan *loan);

/* The program's alternate stack, unless the borrower has set another one;
 * @sp is where the new process goes on. */
void ff_restore_altstack(struct ff_loan *loan, uintptr_t sp);

#endif
