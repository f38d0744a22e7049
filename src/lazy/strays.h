/*
 * How much a lazy child writes between fork and exec: it has pages of its own
 * only where it wrote or fetched, and its parent's memory to compare them
 * with. A child of a path that writes little is worth being lent its parent's
 * memory behind a fence (lend/): that is all that is decided by it, so the
 * answer need not be exact, nor true.
 */
#ifndef FF_LAZY_STRAYS_H
#define FF_LAZY_STRAYS_H

#include <stdint.h>

/* Or so much that nobody counted. */
#define FF_STRAYS_UNKNOWN (~(uint32_t)0)
/* Nobody counts further. */
#define FF_STRAYS_MOST 64

struct ff_strays {
	uintptr_t frame; /* the stack pointer of fork's caller: what the child
			    does to its stack is not counted; 0: nobody wants
			    to know */
	uint32_t pages;	 /* the answer */
};

/* In the child, about to exec. */
void ff_strays_count(void);

#endif
