/*
 * Samples to `name value unit` lines. Times are medians; p90 beside the whole
 * says how quiet the machine was.
 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const way_name[WAYS] = { "plain-fork", "flatfork", "vfork",
					    "posix_spawn" };
static const char *const touch_name[TOUCHES] = { "none", "plain-fork",
						 "flatfork" };

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* @part of 1: 0.5 is the median. */
static double quantile(struct series *s, double part)
{
	qsort(s->value, s->count, sizeof(double), by_value);
	return s->value[(size_t)((double)(s->count - 1) * part + 0.5)];
}

/* Every process writes a line, children that exec after a real fork too: the
 * sum is what was done for this size. */
static void print_counters(const struct size *s)
{
	static const char *const key[] = { "\"forks_lazy\":", "\"forks_real\":",
					   "\"rollbacks\":",
					   "\"hydrations\":" };
	unsigned long sum[4] = { 0, 0, 0, 0 }, lines = 0;
	char line[1024];
	FILE *f = fopen(s->flat.stats, "r");

	while (f && fgets(line, sizeof(line), f)) {
		lines++;
		for (size_t i = 0; i < 4; i++) {
			const char *at = strstr(line, key[i]);

			if (at)
				sum[i] +=
					strtoul(at + strlen(key[i]), NULL, 10);
		}
	}
	if (f)
		fclose(f);
	if (!lines) {
		fprintf(stderr, "bench: no counters in %s\n", s->flat.stats);
		return;
	}
	for (size_t i = 0; i < 4; i++)
		printf("flatfork.%.*s.%zuMiB %lu count\n",
		       (int)strlen(key[i]) - 3, key[i] + 1, s->mib, sum[i]);
}

void report_size(struct size *s)
{
	double touch[TOUCHES];

	for (int w = 0; w < WAYS; w++) {
		if (!s->whole[w].count)
			continue;
		s->median[w] = quantile(&s->whole[w], 0.5);
		printf("%s.whole.%zuMiB %.1f us\n", way_name[w], s->mib,
		       s->median[w]);
		printf("%s.whole-p90.%zuMiB %.1f us\n", way_name[w], s->mib,
		       quantile(&s->whole[w], 0.9));
		printf("%s.call.%zuMiB %.1f us\n", way_name[w], s->mib,
		       quantile(&s->call[w], 0.5));
	}
	for (int t = 0; t < TOUCHES; t++) {
		if (!s->touch[t].count)
			continue;
		touch[t] = quantile(&s->touch[t], 0.5);
		printf("touch-after.%s.%zuMiB %.0f ns/page\n", touch_name[t],
		       s->mib, touch[t]);
	}
	printf("ratio.plain-fork/vfork.%zuMiB %.2f x\n", s->mib,
	       s->median[PLAIN_FORK] / s->median[VFORK]);
	if (!s->whole[FLATFORK].count)
		return;
	printf("ratio.plain-fork/flatfork.%zuMiB %.2f x\n", s->mib,
	       s->median[PLAIN_FORK] / s->median[FLATFORK]);
	printf("ratio.flatfork/vfork.%zuMiB %.2f x\n", s->mib,
	       s->median[FLATFORK] / s->median[VFORK]);
	printf("ratio.flatfork/posix_spawn.%zuMiB %.2f x\n", s->mib,
	       s->median[FLATFORK] / s->median[SPAWN]);
	if (touch[AFTER_FLATFORK] > 0)
		printf("ratio.touch-after.plain-fork/flatfork.%zuMiB %.2f x\n",
		       s->mib, touch[AFTER_PLAIN] / touch[AFTER_FLATFORK]);
	print_counters(s);
}

void report_growth(const struct size *sizes, size_t nr_sizes)
{
	const struct size *base = &sizes[0];

	for (size_t i = 0; i < nr_sizes; i++)
		if (sizes[i].mib == 256)
			base = &sizes[i];
	for (size_t i = 0; i < nr_sizes; i++) {
		const struct size *s = &sizes[i];

		for (int w = 0; s->mib > base->mib && w < WAYS; w++)
			if (s->median[w] > 0)
				printf("growth.%s.%zuMiB/%zuMiB %.2f x\n",
				       way_name[w], s->mib, base->mib,
				       s->median[w] / base->median[w]);
	}
}
