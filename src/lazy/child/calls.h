/*
 * The pieces of the mediator that looks at calls (calls/calls.h) are made of,
 * and the looks: call_*.c. They run in the child's SIGSYS handler, by raw calls,
 * and have what an argument points at fetched before they read it.
 */
#ifndef FF_LAZY_CHILD_CALLS_H
#define FF_LAZY_CHILD_CALLS_H

#include <stdbool.h>
#include <ucontext.h>

#include "calls/calls.h"

/* Fetch what the arguments point at by @signature. */
bool ff_serve(ucontext_t *uc, long nr, const char *signature);
/* ... and make the call; what it answers is the program's. */
void ff_pass(ucontext_t *uc, long nr, const char *signature);
/* ... and whose @signature names each byte that it touches: made once, whatever
 * it answers, and signals that it raised are taken. */
void ff_transfer(ucontext_t *uc, long nr, const char *signature);
/* A call that others see: end the trial, or pass. */
void ff_output(ucontext_t *uc, long nr, const char *signature);
/* By the row of what the call is asked for. */
void ff_pass_request(ucontext_t *uc, long nr, unsigned long number);
/* Nothing was made: answer for the kernel. */
void ff_answer(ucontext_t *uc, long result);
/* Raw, with the arguments as they are. */
long ff_make(const ucontext_t *uc, long nr);

bool ff_is_our_fd(long fd);

#define X(name) void ff_look_##name(ucontext_t *uc, long nr);
FF_LOOKS(X)
#undef X

/* Decide by the arguments, and make the call or not. */
void ff_look(enum ff_lazy look, ucontext_t *uc, long nr);

/* One trapped call of the child. @as_program: with its register of protection
 * keys; where that is not to be had it must make the call itself. */
void ff_child_call(ucontext_t *uc, long nr, bool as_program);
/* A SIGSYS that is somebody's signal, not dispatch. */
void ff_child_foreign(ucontext_t *uc, siginfo_t *info);

#endif
