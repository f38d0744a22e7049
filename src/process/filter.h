/*
 * A seccomp filter that was in force before the program was started, or that
 * it put itself under without our seeing it: what of ours does it allow? Asked
 * once (process/ask.h) and remembered. Filters are inherited, and never go: so
 * threads that have as many as the process had while it had one thread have the
 * same ones. Others are asked each for itself. One that comes by a name of
 * libc's is host/sandbox.h's.
 */
#ifndef FF_PROCESS_FILTER_H
#define FF_PROCESS_FILTER_H

#include <stdbool.h>

#include "host/signals.h"
#include "process/ask.h"

/*
 * First of all, where something is about to be made: false, and it and all
 * that comes later are libc's (host/sandbox.h), as the filter in force does
 * not allow what is needed in any case. To be asked before other calls of
 * ours; no call where nothing is in force, after the first time. @is_small:
 * nothing is asked if nothing is to be told. @for_fork: it may wait for a
 * thread that asks, as libc's own fork does for others.
 * Context: as ff_filter_why_not().
 */
bool ff_filter_lets_us(bool is_small, bool for_fork);

/* Is a filter in force? Looked at once. True as well where /proc does not
 * tell. */
bool ff_filter_is_there(void);

/* As ff_block_signals(), after a look at whether there is a filter. */
ff_sigset ff_filter_block_signals(void);

/*
 * Before calls that every process makes to be started, which no signal handler
 * is to come between: 1: signals are to be blocked; 0: a filter is in force,
 * and no signal is handled; -1: they can't be blocked, or /proc does not tell.
 */
int ff_filter_must_block(void);

/* May the log and the statistics be written, as far as it was asked? */
bool ff_filter_lets_tell(void);

/*
 * NULL: this thread may make the calls that @need needs, or why not, for the
 * log. Where nothing is known yet /proc is looked at, and the filter, if there
 * is one, is asked. Makes no call before that but those that a process makes
 * to be started.
 * Context: any thread, in a flight; errno untouched.
 */
const char *ff_filter_why_not(unsigned need);

/*
 * The ground that may change between two forks (host/ground.h), a filter, and
 * the pid namespace of children, all looked at now. NULL, or why not. @status:
 * FF_GROUND_BYTES, for its use and the callers'.
 */
const char *ff_filter_ground(char *status, unsigned need);

/* For calls that have another way. True where nothing is in force. */
bool ff_filter_allows(enum ff_ask which);

#endif
