/*
 * What a lazy child changes of its memory between fork's return and exec, to
 * the byte: it has pages of its own only where it wrote, and its parent's
 * memory to compare them with. A child that changes words of its caller's
 * frames and nothing else may do so in its parent's memory as well (lend/).
 */
#ifndef FF_LAZY_PURITY_H
#define FF_LAZY_PURITY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of 4 bytes, as most variables are that have a neighbour: another thread may
 * write that one. */
#define FF_PURITY_WORDS 32

/* How far above the stack pointer of fork's caller they may lie. */
#define FF_PURITY_ABOVE (64 << 10)

/* Or so much that nobody counted. */
#define FF_PURITY_UNKNOWN (~0u)

/* In the image, so shared by parent and child. */
struct ff_purity {
	uintptr_t frame; /* parent: the stack pointer of fork's caller; 0: it
			    does not want to know */
	uintptr_t errno_at;
	_Atomic unsigned strayed; /* child: pages changed elsewhere, or
				     FF_PURITY_UNKNOWN */
	unsigned count; /* child: words changed above frame */
	int32_t at[FF_PURITY_WORDS];
};

/* In the child: fork returns. What differs now is libc's doing. */
void ff_purity_begin(void);

/* It is about to exec. */
void ff_purity_end(void);

#endif
