/* Counters of this process and the line they become (FLATFORK_STATS). */
#ifndef FF_TELL_STATS_H
#define FF_TELL_STATS_H

#include <stdatomic.h>
#include <stddef.h>

/* name, what it counts */
#define FF_COUNTERS(X)                                                     \
	X(forks_lazy, "children made lazily that stayed lazy")             \
	X(forks_real, "children made by libc's fork, rollbacks included")  \
	X(forks_warned, "real forks of processes above FLATFORK_WARN_RSS") \
	X(forks_denied, "forks that failed for want of FLATFORK_FALLBACK") \
	X(rollbacks, "lazy children taken back and forked for real")       \
	X(hydrations, "lazy children let go: all memory, or handed over")  \
	X(forks_lent, "children of fork that borrowed its memory")         \
	X(spawns, "children made by posix_spawn and its family, here")     \
	X(vforks, "children made by vfork, here")                          \
	X(vforks_own, "of these, children that needed memory of their own")

/*
 * Who may read this process's memory finds its counters by a mark, and what
 * they are by their names, which are those of the object that is there: the
 * command reads them so, and a process pays nothing for it. Both are hints, as
 * any process can have such bytes.
 */
#define FF_STATS_MARK "ffcount"	 /* eight bytes with its NUL */
#define FF_STATS_ASIDE "ffaside" /* in its place, where we are not in force */
#define FF_STATS_NAMES "flatfork's counters:" /* and then NAME, ... */

struct ff_stats {
	char mark[sizeof(FF_STATS_MARK)];
#define X(name, what) _Atomic unsigned long name;
	FF_COUNTERS(X)
#undef X
};

extern struct ff_stats ff_stats;

/* Nothing of ours is in force in this program, so nothing is counted. */
void ff_stats_stand_aside(void);

/* In a new child: start from zero. Async-signal-safe. */
void ff_stats_reset(void);

/*
 * Append this process's line to FLATFORK_STATS: one write(2) on an O_APPEND
 * descriptor that is closed again. Nothing happens without the option. Once
 * per program of a process, unless a failed exec brings the program back and it
 * forks again: then a second line tells what happened since, so adding up
 * lines never counts twice. A count told ahead of a fork that then failed is
 * taken back there, as -1. Async-signal-safe, keeps errno.
 */
void ff_stats_write(void);

/* The process's name: its first thread's, which prctl can't tell another. */
#define FF_COMM_MAX 16 /* TASK_COMM_LEN, the zero included */
void ff_stats_comm(int pid, char comm[FF_COMM_MAX]);

#define FF_STATS_LINE_MAX 512

/* The line of @stats, without writing; returns its length. @comm is escaped
 * as JSON wants it, bytes that are not UTF-8 become U+FFFD. */
size_t ff_stats_format(char text[FF_STATS_LINE_MAX], int pid, const char *comm,
		       const struct ff_stats *stats);

#endif
