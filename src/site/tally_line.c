/*
 * What is counted of each place, as lines of FLATFORK_STATS. Runs where a
 * process ends, as tell/stats.c, and by its rules; what it needs lies in one
 * place, as the stack may be a signal's. Whoever is second meanwhile, a thread
 * or a handler, writes nothing: the first tells all.
 */
#include "site/tally_line.h"

#include "host/newborn.h"
#include "host/sys.h"
#include "site/name.h"
#include "site/tally.h"
#include "tell/json.h"
#include "tell/line.h"
#include "tell/log.h"
#include "tell/options.h"
#include "tell/stats.h"

/* What a pipe takes whole. */
#define LINE_MAX 4096

static struct {
	char text[LINE_MAX], place[FF_SITE_NAME_MAX],
		function[FF_SITE_FUNCTION_MAX];
	struct ff_tally tally;
} here;

static void add_name(struct ff_line *line, const char *name)
{
	ff_line_str(line, ",\"");
	ff_line_str(line, name);
	ff_line_str(line, "\":");
}

static void add_number(struct ff_line *line, const char *name, uint64_t n)
{
	add_name(line, name);
	ff_line_unsigned(line, n, 10);
}

/* Below zero where it was told ahead and did not come to be. */
static void add_count(struct ff_line *line, const char *name, uint32_t n)
{
	add_name(line, name);
	ff_line_signed(line, (int32_t)n);
}

static void add_string(struct ff_line *line, const char *name, const char *s)
{
	add_name(line, name);
	ff_json_string(line, s);
}

/* [["real","small process",3],...] */
static void add_whys(struct ff_line *line, const struct ff_tally *t)
{
	const char *comma = "";

	ff_line_str(line, ",\"why\":[");
	for (unsigned i = 0; i < FF_TALLY_WHYS; i++) {
		const uint32_t word = t->why[i].word, way = word >> 24;
		const char *text = ff_tally_text(word);

		if (!t->why[i].count)
			continue;
		ff_line_str(line, comma);
		ff_line_char(line, '[');
		ff_json_string(line, text && way < FF_TALLY_WAY_COUNT ?
					     ff_tally_way_name[way] :
					     "any");
		ff_line_char(line, ',');
		ff_json_string(line, text ? text : "other reasons");
		ff_line_char(line, ',');
		ff_line_signed(line, (int32_t)t->why[i].count);
		ff_line_char(line, ']');
		comma = ",";
	}
	ff_line_char(line, ']');
}

/* [[NANOSECONDS,COUNT],...]; those that have no room any more are left out. */
static void add_times(struct ff_line *line, const char *name,
		      _Atomic uint32_t *time)
{
	const char *comma = "";

	add_name(line, name);
	ff_line_char(line, '[');
	for (unsigned i = 0; i < FF_TALLY_BUCKETS; i++) {
		if (!time[i] || line->used > line->size - 64)
			continue;
		ff_line_str(line, comma);
		ff_line_char(line, '[');
		ff_line_unsigned(line, ff_tally_ns(i), 10);
		ff_line_char(line, ',');
		ff_line_unsigned(line, time[i], 10);
		ff_line_char(line, ']');
		comma = ",";
	}
	ff_line_char(line, ']');
}

static size_t format(int pid, const char *comm)
{
	struct ff_line line = ff_line_start(here.text, LINE_MAX);
	struct ff_tally *t = &here.tally;
	const char *name = ff_tally_text(t->name);

	ff_line_str(&line, "{\"pid\":");
	ff_line_signed(&line, pid);
	add_string(&line, "comm", comm);
	add_string(&line, "site", here.place);
	if (*here.function)
		add_string(&line, "function", here.function);
	add_string(&line, "call", name ? name : "");
	for (unsigned i = 0; i < FF_TALLY_WAY_COUNT; i++)
		add_count(&line, ff_tally_way_name[i], t->way[i]);
	for (unsigned i = 0; i < FF_TALLY_SUM_COUNT; i++)
		add_number(&line, ff_tally_sum_name[i], t->sum[i]);
	add_whys(&line, t);
	add_times(&line, "flat_ns", t->time[FF_TALLY_FLAT]);
	add_times(&line, "copies_ns", t->time[FF_TALLY_COPIES]);
	ff_line_char(&line, '}');
	return ff_line_end(&line);
}

static atomic_flag busy = ATOMIC_FLAG_INIT;

/* Whoever was at it is in another process. */
static void new_process(void)
{
	atomic_flag_clear(&busy);
}
FF_IN_NEW_PROCESS(new_process);

void ff_tally_write(void)
{
	char comm[FF_COMM_MAX] = "";
	int pid = 0;

	if (!ff_options.on || !ff_options.stats ||
	    atomic_flag_test_and_set(&busy))
		return;
	for (unsigned i = 0; i < FF_TALLY_ROWS; i++) {
		if (!ff_tally_take(i, &here.tally))
			continue;
		if (!pid) {
			pid = ff_getpid();
			ff_stats_comm(pid, comm);
		}
		ff_site_place((void *)(uintptr_t)here.tally.key, here.place,
			      here.function);
		if (ff_log_append(ff_options.stats, here.text,
				  format(pid, comm)))
			ff_tally_give_back(i, &here.tally);
	}
	atomic_flag_clear(&busy);
}
