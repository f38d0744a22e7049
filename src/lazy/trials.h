/*
 * Children on trial of this process, and whether there may be any. A thread
 * that waits for clone children forbids them for good, and first lets those
 * that are under way come to their end.
 */
#ifndef FF_LAZY_TRIALS_H
#define FF_LAZY_TRIALS_H

#include <stdbool.h>

/* Context: as wait(2); blocks for as long as a fork under way does. */
void ff_trials_forbid(void);

/* Around every trial, from before the clone to the verdict. begin: false if
 * they are forbidden. */
bool ff_trial_begin(void);
void ff_trial_end(void);

/* In a new process: none is under way. */
void ff_trials_reset(void);

#endif
