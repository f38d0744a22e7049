/*
 * Locks that a child took behind the fence carry its id. The fork that it
 * becomes has another one, and is their owner now: libc would not let it
 * unlock them otherwise.
 */
#ifndef FF_LEND_OWNERS_H
#define FF_LEND_OWNERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * In @bytes at @memory, which were as at @was before: mutexes and rwlocks of
 * libc's that @before holds since. @now holds them. Raw system calls only.
 */
void ff_owners_change(void *memory, const void *was, size_t bytes, pid_t before,
		      pid_t now);

#endif
