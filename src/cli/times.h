/* How long calls took, many of them. */
#ifndef FF_CLI_TIMES_H
#define FF_CLI_TIMES_H

#include <stdint.h>

/* 32 buckets for each power of two nanoseconds, from 2^8 to 2^40. */
#define CLI_TIMES_BUCKETS (32 * 32)

struct cli_times {
	uint64_t calls;
	uint64_t bucket[CLI_TIMES_BUCKETS];
};

void cli_times_add(struct cli_times *times, uint64_t ns, uint64_t calls);

/* In nanoseconds, right by some percent; 0: there are none. @q: 0.99 */
uint64_t cli_times_quantile(const struct cli_times *times, double q);

/* The middle of a bucket, in nanoseconds. */
uint64_t cli_times_ns(unsigned bucket);

/* "210 us" */
#define CLI_TIME_MAX 24
const char *cli_time_text(uint64_t ns, char text[CLI_TIME_MAX]);

#endif
