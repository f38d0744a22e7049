/* Small files of /proc and the like, read at once by raw calls. */
#ifndef FF_HOST_FILE_H
#define FF_HOST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * Up to @size - 1 bytes of @path into @buffer, with a NUL behind them; how
 * many, or -errno. A file that fills all of it may have more.
 * Context: any; no lock, no allocation, errno untouched.
 */
long ff_read_file(const char *path, char *buffer, size_t size);

/* null, zero, full, random, urandom: nobody sees, nothing blocks. */
bool ff_is_null(const struct stat *st);

/* The @nth number, by proc_pid_stat(5), of the line of a /proc/PID/stat; -1: it
 * has none such. */
int64_t ff_stat_number(const char *stat, int nth);

/* The decimal number at @s, behind blanks; 0 where there is none. */
uint64_t ff_number_at(const char *s);

#endif
