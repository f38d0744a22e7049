/*
 * The frame every behaviour program stands in: a big touched memory made at
 * the start (so that a lazy child has something to be without), and at the
 * end a look at what must not have changed. Programs print deterministic
 * facts only, never a pid or an address, because what they print under
 * flatfork is compared with what they print under plain libc.
 */
#ifndef T_H
#define T_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* A failed check says so on standard error; the program (or the child it
 * happened in) ends with T_FAILED. */
#define T_FAILED 98
#define CHECK(c)                                          \
	do {                                              \
		if (!(c))                                 \
			t_failed(__FILE__, __LINE__, #c); \
	} while (0)
_Noreturn void t_failed(const char *file, int line, const char *what);

/* This machine or user cannot show the behaviour: exit 77. */
_Noreturn void t_skip(const char *why);

/*
 * Touch @mib MiB, half of it on the brk heap, half in one mapping, all of it
 * a pattern that t_end() looks for again. Line-buffers stdout, notes the open
 * descriptors, the dispositions and the mask. T_MIB sets a limit to @mib.
 */
void t_start(size_t mib);

/*
 * The same descriptors open, no child left in any class, the pattern intact,
 * dispositions, mask and alternate stack as at the start, no mapping left
 * marked "not for children" that was not before. Prints "end", returns 0.
 */
int t_end(void);

/* Dispositions and mask were changed on purpose: take these as the start. */
void t_signals_again(void);

/* The big mapping of t_start(). Blocks of the brk heap: t_block(i) has
 * T_BLOCK bytes, i < t_blocks(). Who writes there must put it back. */
enum {
	T_BLOCK = 64 << 10
};
extern unsigned char *t_area;
extern size_t t_area_bytes;
unsigned char *t_block(size_t i);
size_t t_blocks(void);

/* The word of the pattern at @p, and whether [p, p + n) holds it (n, p
 * multiples of 8). t_fill writes it. */
uint64_t t_word(const void *p);
void t_fill(void *p, size_t n);
bool t_intact(const void *p, size_t n);
uint64_t t_hash(uint64_t h, const void *p, size_t n);
#define T_HASH0 0xcbf29ce484222325u

/* An anonymous private mapping, touched, filled with the pattern. */
void *t_anon(size_t bytes);
/* An anonymous shared mapping of zeros. */
void *t_shared(size_t bytes);

/* A row of a table of cases, each of which is a test (see CMakeLists.txt). */
#define T_CASE(...)         \
	{                   \
		__VA_ARGS__ \
	}

pid_t t_fork(void);
/* Wait for @pid and print "what: exit 3" or "what: signal 9". */
void t_reap(pid_t pid, const char *what);

/* Children of the first thread, of any class, dead or alive: how many, and the first
 * @most of them in @ret. Skips where the kernel does not list them. */
int t_children(pid_t *ret, int most);

/* Replace the child by the report program. */
extern char t_report[4096];
_Noreturn void t_exec_report(const char *topic);
_Noreturn void t_exec_exit(int code);
_Noreturn void t_exec_say(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* Wait until *@p is @value; at most 20 s. */
void t_until(volatile int *p, int value);
void t_sleep_ms(int ms);

#endif
