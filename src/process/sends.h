/*
 * Who sends SIGSYS to one thread, and who is to be raised it by dispatch, take
 * turns.
 *
 * Hazard
 *  H-T7 The kernel keeps one SIGSYS of those that are pending for a thread. One
 *       that is sent to it behind a dispatched call, and before our handler,
 *       would be lost (one in a thousand forks, beside a thread that sends it
 *       all the time). Those of a process are kept apart, and not lost.
 */
#ifndef FF_PROCESS_SENDS_H
#define FF_PROCESS_SENDS_H

#include <stdbool.h>

#include "host/signals.h"

/*
 * This thread's next call is dispatched: nobody sends until it was. false: who
 * does takes too long. Context: all signals blocked; blocks for FF_SENDS_MS at
 * most. It was, or is not going to be.
 */
bool ff_sigsys_expect(void);
void ff_sigsys_came(void);

/*
 * Around the call that sends. begin: true, and end is to follow, where a thread
 * has ever expected one; waits for those that do. Context: any thread, any
 * handler; blocks for FF_SENDS_MS at most, and sends all the same then.
 */
#define FF_SENDS_MS 200
bool ff_sigsys_send_begin(ff_sigset *ret_mask);
void ff_sigsys_send_end(ff_sigset mask);

#endif
