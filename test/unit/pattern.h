/* An arena with a pattern in it, parts of which a child goes without. */
#ifndef FF_TEST_PATTERN_H
#define FF_TEST_PATTERN_H

#include <sys/mman.h>

#include "lost.h"

#define K ((size_t)1 << 10)
#define M ((size_t)1 << 20)
#define CLUSTER (64 * K)
#define RW (PROT_READ | PROT_WRITE)
#define ARENA (16 * M)

extern char *arena; /* on a cluster's border; offsets count from it */

void make_arena(void);
char byte_at(size_t offset);
void fill(size_t offset, size_t bytes);

/* Memory with the pattern that the next child does not have. */
void lose_at(size_t offset, size_t bytes, int prot);

/* Child. */
size_t absent(size_t offset, size_t bytes);
int fetch(size_t offset, size_t bytes);
void holds_pattern(size_t offset, size_t bytes);

#endif
