/* The end of a child that was handed over while it was on trial in execve, and
 * whose exec failed. */
#ifndef FF_LAZY_CHILD_LAST_H
#define FF_LAZY_CHILD_LAST_H

/*
 * End with @status as a child that its parent waits for, in whatever way, and
 * that sends SIGCHLD. Comes back where that is not needed, or not to be had.
 * Async-signal-safe; raw calls.
 */
void ff_end_as_ordinary(int status);

#endif
