/*
 * What became of the children of each place in the program, in numbers: for
 * people, and nothing is decided by them. They lie in the process's own
 * memory, at a mark, where the command reads them (cli/tallies.c); a process
 * pays no system call for that, and nobody else can write them.
 */
#ifndef FF_SITE_TALLY_H
#define FF_SITE_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name, what it counts */
#define FF_TALLY_WAYS(X)                                                    \
	X(lazy, "children made lazily that stayed so, or were let go")      \
	X(committed, "of these, born committed")                            \
	X(let_go, "of these, let go: with all memory, or handed over")      \
	X(lent, "children of fork that borrowed its memory")                \
	X(vforked, "children of vfork, here")                               \
	X(became, "of both, children that became forks")                    \
	X(spawned, "children of posix_spawn and its family, here")          \
	X(real, "children made by libc's fork")                             \
	X(rolled_back, "lazy children that were taken back")                \
	X(libc, "vforks and spawns that were left to libc")                 \
	X(denied, "forks that failed as FLATFORK_FALLBACK wants no copies") \
	X(failed, "spawns that failed")

enum ff_tally_way {
#define X(name, what) FF_TALLY_##name,
	FF_TALLY_WAYS(X)
#undef X
	FF_TALLY_WAY_COUNT
};

/* What was not spent on lazy children: name, what it adds up */
#define FF_TALLY_SUMS(X)                                                    \
	X(faults, "page faults that were served")                           \
	X(fetched, "bytes that children fetched")                           \
	X(absent, "bytes that they were born without: not copied, and not " \
		  "promised (commit) unless they were fetched")

enum ff_tally_sum {
#define X(name, what) FF_TALLY_##name,
	FF_TALLY_SUMS(X)
#undef X
	FF_TALLY_SUM_COUNT
};

/* What they are called in the lines of statistics, and by the command. */
static const char *const ff_tally_way_name[] = {
#define X(name, what) #name,
	FF_TALLY_WAYS(X)
#undef X
};
static const char *const ff_tally_sum_name[] = {
#define X(name, what) #name,
	FF_TALLY_SUMS(X)
#undef X
};

/* Page tables that a copy of @bytes has, if all of them are resident in pages
 * of 4 KiB. */
#define FF_TALLY_TABLES(bytes) ((bytes) / 512)

/*
 * How long calls take, in nanoseconds: four buckets for each power of two,
 * so that none is wider than a quarter of what it counts.
 */
#define FF_TALLY_FIRST 11 /* all below 2^11 are in the first */
#define FF_TALLY_BUCKETS 96

static inline unsigned ff_tally_bucket(uint64_t ns)
{
	unsigned log, bucket;

	if (ns >> FF_TALLY_FIRST == 0)
		return 0;
	log = 63 - (unsigned)__builtin_clzll(ns);
	bucket = (log - FF_TALLY_FIRST) * 4 + (ns >> (log - 2) & 3);
	return bucket < FF_TALLY_BUCKETS ? bucket : FF_TALLY_BUCKETS - 1;
}

/* The middle of what a bucket counts, and from where on it does. */
static inline uint64_t ff_tally_ns(unsigned bucket)
{
	const unsigned log = FF_TALLY_FIRST + bucket / 4;

	return (uint64_t)(9 + 2 * (bucket % 4)) << (log - 3);
}

static inline uint64_t ff_tally_from(unsigned bucket)
{
	return (uint64_t)(4 + bucket % 4) << (FF_TALLY_FIRST + bucket / 4 - 2);
}

/* Of calls whose children were copies of their parent, and of all others. */
enum ff_tally_time {
	FF_TALLY_FLAT,
	FF_TALLY_COPIES,
	FF_TALLY_TIMES
};

#define FF_TALLY_WHYS 8

/* A word of the object's: where it lies in it, and in the upper byte, of a
 * reason, the way it speaks of. */
#define FF_TALLY_WORD ((1u << 24) - 1)

struct ff_tally {
	/* The place, and above it the generation of the process whose row it
	 * is; any other: free. */
	_Atomic uint64_t key;
	_Atomic uint32_t name; /* of the function that was called: a word */
	_Atomic uint32_t way[FF_TALLY_WAY_COUNT];
	struct {
		_Atomic uint32_t word;
		_Atomic uint32_t count;
	} why[FF_TALLY_WHYS]; /* the last: all that have no other */
	_Atomic uint64_t sum[FF_TALLY_SUM_COUNT];
	_Atomic uint32_t time[FF_TALLY_TIMES][FF_TALLY_BUCKETS];
};

#define FF_TALLY_ROWS 64
#define FF_TALLY_ROW_BYTES 1024
#define FF_TALLY_ADDRESS ((UINT64_C(1) << 48) - 1)

/* Each on one page: what is written after a fork costs a fault for it. */
struct ff_tally_row {
	_Alignas(FF_TALLY_ROW_BYTES) struct ff_tally tally;
};
_Static_assert(sizeof(struct ff_tally_row) == FF_TALLY_ROW_BYTES, "a row");

/*
 * By which they are found. The layout is a number that changes with what is
 * above: another object's is not read.
 */
#define FF_TALLY_MARK "ffsites"
#define FF_TALLY_LAYOUT (1u << 16 | FF_TALLY_WAY_COUNT << 8 | FF_TALLY_ROWS)

struct ff_tally_table {
	char mark[sizeof(FF_TALLY_MARK)];
	uint32_t layout;
	_Atomic uint32_t generation;
	const struct ff_tally_row *rows;
	const char *object; /* from where on words count */
};

extern struct ff_tally_table ff_tallies;

/* One call of @name at @at. Async-signal-safe, no system call. */
struct ff_tally_call {
	const void *at;
	const char *name; /* static, as reasons are */
};

/* What became of it; @ns: how long the caller was held, 0: not known. */
void ff_tally_made(const struct ff_tally_call *call, enum ff_tally_way way,
		   uint64_t ns);
void ff_tally_why(const struct ff_tally_call *call, enum ff_tally_way way,
		  const char *why);

/* @n of both. A count below zero is one that was told before. */
void ff_tally_ahead(const struct ff_tally_call *call, enum ff_tally_way way,
		    const char *why, int n);
void ff_tally_add(const struct ff_tally_call *call, enum ff_tally_sum sum,
		  uint64_t n);

/*
 * Take what is in the row @at of this process, which counts on from zero; false
 * where there is none. And give it back, where it could not be told.
 */
bool ff_tally_take(unsigned at, struct ff_tally *ret_tally);
void ff_tally_give_back(unsigned at, struct ff_tally *tally);

/* A word's text, or NULL. */
const char *ff_tally_text(uint32_t word);

/* In any new process that is a copy of this one: from zero. */
void ff_tally_new_process(void);

#endif
