/* One line per decision, for FLATFORK_LOG. Async-signal-safe: no stdio, no
 * allocation; one write(2) per line, whatever errno was is kept. */
#ifndef FF_TELL_LOG_H
#define FF_TELL_LOG_H

#include <stdbool.h>

bool ff_log_wanted(void);

/* printf subset: %s %d %u %ld %lu %lx %p %c %%; truncated at 512 bytes. The line
 * gets the prefix "flatfork[PID]: " and a newline. */
void ff_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
