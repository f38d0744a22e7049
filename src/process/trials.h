/*
 * Children on trial of this process, and committed ones of a process with
 * threads, and whether there may be any. A thread that waits for clone children
 * forbids trials for good, one that execs all of them until it has failed; both
 * first let those that are under way come to their end.
 */
#ifndef FF_PROCESS_TRIALS_H
#define FF_PROCESS_TRIALS_H

#include <stdbool.h>

/* Context: as wait(2); blocks for as long as a fork under way does. */
void ff_trials_forbid(void);

/* Around every trial, from before the clone to the verdict. begin: false if
 * they are forbidden. */
bool ff_trial_begin(void);
void ff_trial_end(void);
/* The same for a committed child, which is no clone child. */
bool ff_committed_begin(void);

/*
 * The same for a while: the process is about to be another program, which would
 * end the threads that fork in the middle of it, and know nothing of their
 * children. hold waits @ms at most. Is there anything to hold? If not, there
 * never was a trial.
 */
bool ff_trials_any(void);
void ff_trials_hold(unsigned ms);
void ff_trials_unhold(void);

/* In a new process: none is under way. */
void ff_trials_reset(void);

#endif
