/*
 * One line per decision, for FLATFORK_LOG. Async-signal-safe: no stdio, no
 * allocation; one write(2) per line, errno is never touched.
 */
#ifndef FF_TELL_LOG_H
#define FF_TELL_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define FF_LOG_LINE_MAX 512 /* bytes, the newline included */

bool ff_log_wanted(void);

/*
 * printf subset: %s %d %u %x %ld %lu %lx %p %c %%; truncated at 512 bytes.
 * The line gets the prefix "flatfork[PID]: " and a newline; a control
 * character in a string becomes '?', so a line stays one line.
 */
void ff_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same for FLATFORK_WARN_RSS, to standard error where there is no log. */
bool ff_warn_wanted(void);
void ff_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The line ff_log() would write, without writing; returns its length. */
size_t ff_log_format(char text[FF_LOG_LINE_MAX], int pid, const char *fmt,
		     va_list args) __attribute__((format(printf, 3, 0)));

/* Is that what a path says? */
static inline bool ff_log_is_stderr(const char *path)
{
	return !strcmp(path, "stderr");
}

/* Standard error is what descriptor 2 is now. */
void ff_log_note_stderr(void);
bool ff_log_knows_stderr(void);

/*
 * Append @n bytes to the file @path, creating it, by one write(2) on a
 * descriptor that is closed again. A path whose last name is a link is not
 * followed (-ELOOP). @path "stderr" is descriptor 2 while that is the file
 * that was noted (else -EBADF). Returns 0 or -errno; what was not written is
 * lost. Never waits for a reader, never lets a signal through.
 * Async-signal-safe.
 */
int ff_log_append(const char *path, const void *bytes, size_t n);

#endif
