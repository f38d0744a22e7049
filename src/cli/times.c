/* How long calls took: a histogram, log-linear as HdrHistogram has it. */
#include "cli/times.h"

#include <stdio.h>

#define FIRST 8 /* all below 2^8 ns are in the first */
#define FINE 5	/* 2^5 buckets for each power of two */

static unsigned bucket_of(uint64_t ns)
{
	unsigned log, bucket;

	if (ns >> FIRST == 0)
		return 0;
	log = 63 - (unsigned)__builtin_clzll(ns);
	bucket = ((log - FIRST) << FINE) +
		 (ns >> (log - FINE) & ((1 << FINE) - 1));
	return bucket < CLI_TIMES_BUCKETS ? bucket : CLI_TIMES_BUCKETS - 1;
}

uint64_t cli_times_ns(unsigned bucket)
{
	const unsigned log = FIRST + (bucket >> FINE);
	const uint64_t in = bucket & ((1 << FINE) - 1);

	return (2 * ((1 << FINE) + in) + 1) << (log - FINE - 1);
}

void cli_times_add(struct cli_times *times, uint64_t ns, uint64_t calls)
{
	times->calls += calls;
	times->bucket[bucket_of(ns)] += calls;
}

uint64_t cli_times_quantile(const struct cli_times *times, double q)
{
	const double wanted = q * (double)times->calls;
	uint64_t seen = 0;

	if (!times->calls)
		return 0;
	for (unsigned i = 0; i < CLI_TIMES_BUCKETS; i++) {
		seen += times->bucket[i];
		if (seen && (double)seen >= wanted)
			return cli_times_ns(i);
	}
	return cli_times_ns(CLI_TIMES_BUCKETS - 1);
}

const char *cli_time_text(uint64_t ns, char text[CLI_TIME_MAX])
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };
	double t = (double)ns;
	unsigned i = 0;

	while (t >= 1000 && i < 3) {
		t /= 1000;
		i++;
	}
	snprintf(text, CLI_TIME_MAX, t < 10 && i ? "%.1f %s" : "%.0f %s", t,
		 unit[i]);
	return text;
}
