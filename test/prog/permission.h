/* A file that nobody opens, or execs, before a program of ours permits it. */
#ifndef PERMISSION_H
#define PERMISSION_H

#include "t.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <unistd.h>

/* "slow", a copy of the report. A descriptor, or -1: such events are not to be
 * had here. @events: FAN_OPEN_PERM or FAN_OPEN_EXEC_PERM. */
static inline int make_slow(uint64_t events)
{
	char command[5000];
	int listener;

	snprintf(command, sizeof(command), "cp '%s' slow", t_report);
	CHECK(system(command) == 0);
	t_signals_again();
	listener = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	if (listener >= 0 && fanotify_mark(listener, FAN_MARK_ADD, events,
					   AT_FDCWD, "slow") == 0)
		return listener;
	if (listener >= 0)
		close(listener);
	return -1;
}

#endif
