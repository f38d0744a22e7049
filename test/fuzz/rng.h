/* Reproducible choices: splitmix64. */
#ifndef FUZZ_RNG_H
#define FUZZ_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t s;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline struct rng rng_of(uint64_t seed, uint64_t index)
{
	struct rng r = { seed };

	r.s = rng_next(&r) ^ index * 0xd1342543de82ef95u;
	rng_next(&r);
	return r;
}

/* A quarter of the bits. */
static inline uint64_t rng_sparse(struct rng *r)
{
	uint64_t bits = rng_next(r);

	return bits & rng_next(r);
}

/* 0 to n - 1 */
static inline unsigned rng_below(struct rng *r, unsigned n)
{
	return (unsigned)(rng_next(r) >> 33) % n;
}

static inline bool rng_percent(struct rng *r, unsigned percent)
{
	return rng_below(r, 100) < percent;
}

#define RNG_PICK(r, array) \
	((array)[rng_below((r), sizeof(array) / sizeof((array)[0]))])

#endif
