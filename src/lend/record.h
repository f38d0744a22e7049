/*
 * What is known of the paths that lead to fork: by its return address and
 * those of two frames above.
 */
#ifndef FF_LEND_RECORD_H
#define FF_LEND_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "lazy/purity.h"

struct ff_record {
	_Atomic uintptr_t key;	/* 0: free */
	_Atomic uint32_t pure;	/* children in a row that were */
	_Atomic uint32_t lent;	/* since it is proven */
	_Atomic bool barred;	/* one was not, ever */
	_Atomic bool strays_little; /* the last one looked at */
	_Atomic bool fence_barred;  /* one had to become a fork */
	_Atomic bool learning;	/* a thread adds words */
	_Atomic uint32_t count; /* words above the stack pointer of fork's */
	int32_t at[FF_PURITY_WORDS]; /* caller that its children change */
};

/* The record of the path to @caller; NULL where there is none to have, or it
 * leads through frames that are not understood. Async-signal-safe. */
struct ff_record *ff_record_of(const struct ff_caller *caller);

/* May the next fork of this path be lent? */
bool ff_record_is_proven(struct ff_record *record);

/* Did the last lazy child write to no more pages than are kept for one behind
 * the fence? Then that will have to become a fork but seldom. */
bool ff_record_strays_little(const struct ff_record *record);

/* A lazy child of this path came to exec. */
void ff_record_learn(struct ff_record *record, const struct ff_purity *purity);

/* Not before it is proven anew: a child took long, which may have been the
 * machine's doing. One that waits for its parent is late as a lazy one, too,
 * and proves nothing. */
void ff_record_doubt(struct ff_record *record);

/* Never again: not as learnt, not behind the fence. */
void ff_record_bar(struct ff_record *record);
bool ff_record_is_barred(const struct ff_record *record);
void ff_record_bar_fence(struct ff_record *record);
bool ff_record_is_fence_barred(const struct ff_record *record);

#endif
