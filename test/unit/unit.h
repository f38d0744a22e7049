/* What each file of unit tests defines, and what it may use. */
#ifndef FF_TEST_UNIT_H
#define FF_TEST_UNIT_H

#include <check.h>
#include <stddef.h>

extern const char unit_subject[];

/* Add the tests; each runs in a process of its own. */
void unit_tests(TCase *tests);

/* The content of @path, at most @size - 1 bytes and a zero; -1: can't read. */
long unit_read_file(const char *path, char *text, size_t size);

/* A path in the working directory that no other test uses. */
const char *unit_path(void);

#endif
