/*
 * The counters and their JSON line. Runs where a process ends: in exit
 * handlers, before _exit and exec, also in a child before exec.
 *
 * Rules: raw system calls only; no lock, no allocation, no errno. Two threads
 * that end the process at once take each count once (atomic exchange).
 */
#include "tell/stats.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "arch/hot.h"
#include "host/held.h"
#include "host/newborn.h"
#include "host/sys.h"
#include "tell/json.h"
#include "tell/line.h"
#include "tell/log.h"
#include "tell/options.h"

struct ff_stats ff_stats FF_HOT = { .mark = FF_STATS_MARK };

#define X(name, what) #name ","
__attribute__((used)) static const char counter_names[] =
	FF_STATS_NAMES FF_COUNTERS(X);
#undef X

static atomic_bool written FF_HOT;

void ff_stats_stand_aside(void)
{
	memcpy(ff_stats.mark, FF_STATS_ASIDE, sizeof(ff_stats.mark));
}

void ff_stats_reset(void)
{
#define X(name, what) atomic_store(&ff_stats.name, 0);
	FF_COUNTERS(X)
#undef X
	atomic_store(&written, false);
}
FF_IN_NEW_PROCESS(ff_stats_reset);

size_t ff_stats_format(char text[FF_STATS_LINE_MAX], int pid, const char *comm,
		       const struct ff_stats *stats)
{
	struct ff_line line = ff_line_start(text, FF_STATS_LINE_MAX);

	ff_line_str(&line, "{\"pid\":");
	ff_line_signed(&line, pid);
	ff_line_str(&line, ",\"comm\":");
	ff_json_string(&line, comm);
#define X(name, what)                          \
	ff_line_str(&line, ",\"" #name "\":"); \
	ff_line_signed(&line, (long)stats->name);
	FF_COUNTERS(X)
#undef X
	ff_line_char(&line, '}');
	return ff_line_end(&line);
}

void ff_stats_comm(int pid, char comm[FF_COMM_MAX])
{
	struct ff_held file;
	long n = 0;

	memset(comm, 0, FF_COMM_MAX);
	if (sys(gettid) != pid && ff_hold(&file, "/proc/self/comm") == 0) {
		n = sys(pread64, file.fd, comm, FF_COMM_MAX, 0);
		if (ff_release(&file) < 0)
			n = 0;
	}
	if (n > 0)
		comm[n - 1] = '\0'; /* for the newline */
	else
		sys(prctl, PR_GET_NAME, comm);
}

void ff_stats_write(void)
{
	char text[FF_STATS_LINE_MAX], comm[FF_COMM_MAX];
	struct ff_stats taken;
	unsigned long any = 0;
	bool again;
	int pid;

	if (!ff_options.on || !ff_options.stats)
		return;
#define X(name, what)                                    \
	taken.name = atomic_exchange(&ff_stats.name, 0); \
	any |= taken.name;
	FF_COUNTERS(X)
#undef X
	again = atomic_exchange(&written, true);
	if (again && !any)
		return;
	pid = (int)sys(getpid);
	ff_stats_comm(pid, comm);
	if (!ff_log_append(ff_options.stats, text,
			   ff_stats_format(text, pid, comm, &taken)))
		return;

	/* Not told: for the next time, if there is one. */
	if (!again)
		atomic_store(&written, false);
#define X(name, what) atomic_fetch_add(&ff_stats.name, taken.name);
	FF_COUNTERS(X)
#undef X
}
