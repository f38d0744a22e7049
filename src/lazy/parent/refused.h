/* One mark given, or taken away, wherever the kernel may refuse that. */
#ifndef FF_LAZY_PARENT_REFUSED_H
#define FF_LAZY_PARENT_REFUSED_H

#include <stdbool.h>
#include <stdint.h>

/* madvise() of [start, end): 0, or -errno. */
long ff_mark_give(uintptr_t start, uintptr_t end, int advice);

/* The same for what takes a mark away: what is refused is asked for again, */
long ff_mark_take_away(uintptr_t start, uintptr_t end, int advice);
/* which is now. */
void ff_mark_take_away_refused(void);
/* Is something refused still? */
bool ff_marks_are_refused(void);

#endif
