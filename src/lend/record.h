/*
 * What is known of the routes that lead to fork: by its return address and
 * those of two frames above. It only says whether a loan is worth it, never
 * whether it is safe: a route mistaken for another costs time, no more.
 */
#ifndef FF_LEND_RECORD_H
#define FF_LEND_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"

/* Of this process; a fork has a copy. Written by the parent alone. */
struct ff_record {
	_Atomic uintptr_t key;	    /* 0: free */
	_Atomic bool strays_little; /* the last child looked at */
	_Atomic bool barred;	    /* one had to become a fork */
};

/* The record of the route to @caller; NULL where there is none to have, or it
 * leads through frames that are not understood. Async-signal-safe. */
struct ff_record *ff_record_of(const struct ff_caller *caller);

/* Did the last lazy child write to no more pages than are kept for one behind
 * the fence? Then that will have to become a fork but seldom. */
bool ff_record_strays_little(const struct ff_record *record);

/* A lazy child of this route came to exec, with so many pages written. */
void ff_record_learn(struct ff_record *record, uint32_t pages);

/* Not before one was looked at again: a child took long, which may have been
 * the machine's doing. One that waits for its parent is late as a lazy one,
 * too, and says nothing. */
void ff_record_doubt(struct ff_record *record);

/* Never again. */
void ff_record_bar(struct ff_record *record);
bool ff_record_is_barred(const struct ff_record *record);

#endif
