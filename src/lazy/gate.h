/*
 * While MADV_DONTFORK marks stand, no other fork of this process may happen;
 * while real forks happen, no marks may be made. Lazy forks never wait for
 * real ones (they become real themselves); real forks wait for marks, which
 * stand for some tens of microseconds with their owner's signals blocked.
 */
#ifndef FF_LAZY_GATE_H
#define FF_LAZY_GATE_H

#include <stdbool.h>

/* False: real forks are under way. True: the caller may mark; all of its
 * signals are blocked until ff_gate_leave_lazy(). */
bool ff_gate_try_lazy(void);
void ff_gate_leave_lazy(void);

/* Around a real fork. Context: any thread, signal handlers too. */
void ff_gate_enter_real(void);
void ff_gate_leave_real(void);

/* In a new process: nobody else is here. */
void ff_gate_reset(void);

#endif
