/* Where a word goes in a table: its bits are spread, the upper ones best. */
#ifndef FF_HOST_HASH_H
#define FF_HOST_HASH_H

#include <stdint.h>

static inline uint64_t ff_hash(uint64_t word)
{
	return word * 0x9e3779b97f4a7c15u; /* 2^64 by the golden ratio */
}

#endif
