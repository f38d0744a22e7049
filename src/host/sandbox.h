/* A program that has put itself under a seccomp filter. */
#ifndef FF_HOST_SANDBOX_H
#define FF_HOST_SANDBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Once true it stays so, in children as well: then this library makes no
 * system call that the program does not ask libc for, as the filter may kill
 * who makes it. Forks, vforks and spawns are libc's, nothing is logged or
 * counted. A filter that was in force before the program was started let the
 * loader open and map files, and is asked for where it matters
 * (host/ground.h).
 */
extern atomic_bool ff_sandboxed;

/* Does system call @nr install a filter, with these arguments? */
bool ff_is_sandboxing(long nr, uintptr_t a, uintptr_t b, uintptr_t c);

#endif
