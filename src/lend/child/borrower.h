/*
 * The child of a vfork: what it does in borrowed memory, and how it comes to
 * memory of its own where it would harm its parent.
 */
#ifndef FF_LEND_CHILD_BORROWER_H
#define FF_LEND_CHILD_BORROWER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct ff_loan;

/* What the child does first, on the program's stack: then it goes on where
 * vfork was called. @loan is a struct ff_loan *. */
_Noreturn void ff_borrow(void *loan);

/* It can't be such a child: it ends, and its parent is told. Nothing was done
 * that anybody could have seen. */
_Noreturn void ff_borrower_gives_back(struct ff_loan *loan);

/*
 * Become a fork. Returns in the new process, which has a copy of the memory
 * as it is now, and everything else as this one has it; this process ends.
 * Does nothing where the memory is not borrowed. @why: for the log.
 * Context: not a signal handler: fork handlers run.
 */
void ff_own_memory(const char *why);

/* Is this memory lent to the calling process? What it keeps of ours is its
 * parent's, then. */
bool ff_is_borrower(void);

/* It has come to ff_lent_return (lend/entry.h): it becomes a fork. Returns where
 * that goes on. */
uintptr_t ff_lent_returned(void);

/* Its own handler, and to have @sig come there, unless it is ignored. */
void ff_borrower_on_signal(int sig, siginfo_t *info, void *context);
bool ff_borrower_handles(int sig);
bool ff_borrower_is_handler(const void *handler);

/* The same where the memory is behind a fence, which calls of our own pass. */
void ff_leave_fence(const char *why);

/* Before exec: signals that came for the program's handlers are taken. */
void ff_borrower_execs(void);

/* Before the ids change, which their parent's memory remembers. False: what
 * they are can't be known, and the memory has to be its own first. */
bool ff_borrower_changes_ids(void);

/* Before the child sets a disposition itself. */
void ff_borrower_sets_action(int sig, const void *handler);

/*
 * The program's disposition of @sig, where the child was told ours, or the
 * default that we have set; NULL: it was not. @own: it had set one itself by
 * then, as ff_borrower_has_set() said.
 */
struct ff_sigaction;
bool ff_borrower_has_set(int sig);
const struct ff_sigaction *ff_borrower_action(int sig, const void *handler,
					      bool own);

/* What sigaltstack() told: the program's in place of ours. */
void ff_borrower_tells_altstack(stack_t *stack);

/* Would longjmp() to @jmp_buf leave the frames that may be used? */
bool ff_borrower_jumps_out(const void *jmp_buf);

/* Of this process, for ff_loan.ids; noted, if all could be had. */
struct ff_ids;
void ff_ids_note(struct ff_ids *ids);

#endif
