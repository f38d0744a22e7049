/*
 * Where a borrower comes to us by itself, without a call: what begins in
 * assembly, and goes on in lend/child/borrower.c. In lend/x86_64/entry.S.
 */
#ifndef FF_LEND_ENTRY_H
#define FF_LEND_ENTRY_H

#include <signal.h>

/* Put in place of a return address: makes its way to ff_lent_returned(), with
 * what the function returned kept, and then to what that says. */
extern const char ff_lent_return[];

/* A signal handler on a stack of another key than 0: opens all memory, then
 * is ff_borrower_on_signal(). */
void ff_keyed_handler(int sig, siginfo_t *info, void *context);

#endif
