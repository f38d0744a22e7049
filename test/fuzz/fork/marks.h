/* Memory that the kernel keeps from children, or gives them wiped. */
#ifndef FUZZ_MARKS_H
#define FUZZ_MARKS_H

#include <stdint.h>

enum {
	MARK_DONTFORK = 1,
	MARK_WIPED = 2,
};

/* Marks at @n places @at. The pages with any, of the program's memory: */
uint64_t marks_at(const char *const *at, int *ret_marks, unsigned n);
/* Or, where the state keeps us from looking: */
#define MARKS_UNKNOWN UINT64_MAX
uint64_t marks_all(void);

#endif
