/* Memory that the kernel keeps from children, or gives them wiped. */
#ifndef FUZZ_MARKS_H
#define FUZZ_MARKS_H

#include <stdint.h>

enum {
	MARK_DONTFORK = 1,
	MARK_WIPED = 2,
};

/* Marks at @at; pages with any, of the program's memory, in *ret_all. */
int marks_at(const char *at, uint64_t *ret_all);
/* Or, where the state keeps us from looking: */
#define MARKS_UNKNOWN UINT64_MAX
uint64_t marks_all(void);

#endif
