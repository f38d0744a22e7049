/*
 * One line of text, built in a caller's buffer. Runs anywhere: in a signal
 * handler, in a child before exec, with dispatch armed.
 *
 * Rules: no libc but memcpy and strlen, no allocation, no lock. What does not
 * fit is dropped; one byte is always left for the newline of ff_line_end().
 */
#ifndef FF_TELL_LINE_H
#define FF_TELL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ff_line {
	char *text;
	size_t used;
	size_t size;
};

static inline struct ff_line ff_line_start(char *text, size_t size)
{
	return (struct ff_line){ .text = text, .used = 0, .size = size };
}

static inline void ff_line_bytes(struct ff_line *line, const char *s, size_t n)
{
	size_t room = line->size - 1 - line->used;

	if (n > room)
		n = room;
	memcpy(line->text + line->used, s, n);
	line->used += n;
}

static inline void ff_line_char(struct ff_line *line, char c)
{
	ff_line_bytes(line, &c, 1);
}

static inline void ff_line_str(struct ff_line *line, const char *s)
{
	ff_line_bytes(line, s, strlen(s));
}

/* A string from elsewhere: what would break the line becomes '?'. */
static inline void ff_line_foreign(struct ff_line *line, const char *s,
				   size_t most)
{
	for (size_t i = 0; i < most && s[i]; i++) {
		unsigned char c = (unsigned char)s[i];

		ff_line_char(line, c < 0x20 || c == 0x7f ? '?' : s[i]);
	}
}

static inline void ff_line_unsigned(struct ff_line *line, uint64_t n,
				    unsigned base)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	ff_line_bytes(line, digits + at, sizeof(digits) - at);
}

static inline void ff_line_signed(struct ff_line *line, int64_t n)
{
	if (n < 0)
		ff_line_char(line, '-');
	ff_line_unsigned(line, n < 0 ? -(uint64_t)n : (uint64_t)n, 10);
}

/* Adds the newline; returns the length. */
static inline size_t ff_line_end(struct ff_line *line)
{
	line->text[line->used++] = '\n';
	return line->used;
}

#endif
