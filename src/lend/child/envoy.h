/*
 * Who execs for a borrower behind the fence: a process of its own, which may be
 * held up in that for as long as it likes, while the borrower can still leave.
 */
#ifndef FF_LEND_CHILD_ENVOY_H
#define FF_LEND_CHILD_ENVOY_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

struct ff_envoy;
struct ff_loan;

/*
 * In the handler of the borrower's call @nr, an exec. NULL: it was refused, and
 * @uc has the error; else why the borrower needs memory of its own, to make it
 * there. Does not return where a program has begun.
 */
const char *ff_envoy_exec(struct ff_loan *loan, ucontext_t *uc, long nr);

/* By the borrower, or its parent where that is gone. Has its program begun, or
 * has it ended in that? If not, it is ended now. */
bool ff_envoy_is_away(struct ff_envoy *e);

/* The borrower makes another call: from then on its envoy is not as it is. */
void ff_envoy_is_outdated(struct ff_loan *loan);

/* In a handler, of that at @uc. */
bool ff_envoy_was_interrupted(const struct ff_loan *loan, const ucontext_t *uc);
_Noreturn void ff_envoy_on_signal(struct ff_loan *loan, int sig,
				  const siginfo_t *info);

#endif
