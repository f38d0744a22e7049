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
 * loader open and map files, and is asked what else it allows
 * (process/filter.h).
 */
extern atomic_bool ff_sandboxed;

/*
 * What process/filter.c has found of filters that were in force before the
 * program, or that it put itself under past us. Until it has looked: nothing.
 */
#define FF_FILTERS_NONE 1u   /* there are none, but for ... */
#define FF_FILTERS_OTHERS 2u /* threads that have some of their own */
extern _Atomic uint32_t ff_filters;

/* No thread is known to have one, so that no call of ours is raised SIGSYS
 * for. */
static inline bool ff_is_unfiltered(void)
{
	return atomic_load(&ff_filters) == FF_FILTERS_NONE;
}

/* Does system call @nr install a filter, with these arguments? */
bool ff_is_sandboxing(long nr, uintptr_t a, uintptr_t b, uintptr_t c);

/*
 * The program is about to make that call: from now on the above holds. If the
 * filter is for all threads, waits for the flights of others to end, at most
 * FF_FLIGHT_MAX_MS. Context: as the call.
 */
#define FF_FLIGHT_MAX_MS 10000
void ff_sandbox_enter(long nr, uintptr_t a, uintptr_t b);

/*
 * Around stretches in which this library makes system calls of its own, while
 * another thread may install a filter for all: begin: false if there is one,
 * or may be at any moment. The program's code never runs inside. No system
 * call.
 */
bool ff_flight_begin(void);
void ff_flight_end(void);

/* Until no other thread is under way, at most FF_FLIGHT_MAX_MS. Not from
 * inside a flight. */
void ff_flights_await(void);

#endif
