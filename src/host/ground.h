/*
 * What has to be there for a lazy fork, and how big this process is. Asked of
 * the kernel by raw calls, for the calling thread; async-signal-safe.
 */
#ifndef FF_HOST_GROUND_H
#define FF_HOST_GROUND_H

#include <stdbool.h>
#include <stdint.h>

/* What never changes in a process: once, in the constructor or at the first
 * fork. NULL, or why there are no lazy forks. */
const char *ff_ground_at_start(void);

/* What may change between two forks, and is the calling thread's: a tracer.
 * NULL, or why not. @status is a buffer of FF_GROUND_BYTES, for its use. */
#define FF_GROUND_BYTES 2048
const char *ff_ground_now(char *status);

/*
 * Has this thread its processor until it gives that up itself? A child that it
 * waits for may then keep it from coming back, however short its wait was to be.
 * True where the kernel does not say.
 */
bool ff_ground_keeps_processor(void);

/*
 * May it have? True for a deadline, too, and where children have no such policy
 * (SCHED_RESET_ON_FORK). By /proc: a filter may refuse the call.
 */
bool ff_ground_may_keep_processor(void);

/* The status of the calling thread alone, as far as it fits: 0 or -errno. */
int ff_ground_read(char *status);
bool ff_ground_is_traced(const char *status);

/* How many seccomp filters this thread has, of what that left in @status; -1:
 * strict mode, or it does not say. */
int ff_ground_filters(const char *status);

/* How many threads this process has, of what that left in @status; 0: it does
 * not say. */
unsigned ff_ground_threads(const char *status);

/* Can a child of this thread give up rights and be another user's than its
 * parent: has it capabilities, or ids to choose from? By what that left in
 * @status; true where it does not say. */
bool ff_ground_may_lower(const char *status);

/* The signals that the program handles, of what that left in @status. */
uint64_t ff_ground_caught(const char *status);

/* The signals that are pending, of any such status. */
uint64_t ff_ground_pending(const char *status);

/* Resident memory and writable private memory, in bytes; false where /proc
 * does not tell. */
bool ff_process_size(uint64_t *ret_resident, uint64_t *ret_writable);

#endif
