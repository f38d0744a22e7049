/*
 * libc writes the thread's id into locks, from what it remembers of it. A
 * child behind the fence may become a fork, which has an id that nobody knows
 * before, at any instruction: between loading the id and storing it, too. So
 * libc remembers one meanwhile that no thread has and nothing else is likely
 * to be: then whatever is equal to it, in a register or in memory that the
 * child may have written, is the thread's id, and is changed to the new one.
 */
#ifndef FF_LIBC_TIDS_H
#define FF_LIBC_TIDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <ucontext.h>

/* Above the kernel's PID_MAX_LIMIT, within what a futex holds. */
#define FF_LENT_TID ((pid_t)0x2b6d5a93)

/* Words, with or without the flags that a futex has beside the id. */
void ff_tids_change(void *memory, size_t bytes, pid_t now);
void ff_tids_change_registers(ucontext_t *uc, pid_t now);

#endif
