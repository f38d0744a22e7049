/*
 * The names we define, in the next object behind us: libc, or another
 * preload. Found when they are first called, and all of them before the
 * first fork, so that no lazy child enters the dynamic linker for one.
 */
#ifndef FF_PRELOAD_NEXT_H
#define FF_PRELOAD_NEXT_H

#include <stdbool.h>

#define FF_NAME(name, why) FF_NEXT_##name,
enum ff_next {
#include "preload/names.def"
	FF_NEXT_COUNT
};
#undef FF_NAME

extern void *ff_next_of[FF_NEXT_COUNT];

/* NULL where no object behind us has it, and the name's file knows what to do
 * then; else there always is something to call. */
void *ff_next_find(enum ff_next which);

/* All that are not known yet, but for names that libc may lack. Cheap when
 * there is nothing to do. */
void ff_next_find_all(void);

const char *ff_next_name(enum ff_next which);

/*
 * Is the next definition another object's than libc's? Then that wants to see
 * the calls: it gets them, whatever we could do instead. False where nobody
 * behind us has the name. Context: cheap once the name is known.
 */
bool ff_next_is_anothers(enum ff_next which);

/*
 * libc is not known, so nothing of ours is in force: all are found at once, as
 * who knows what a child may do there; and what libc does not have, we do not
 * have either. Context: constructor.
 */
void ff_next_only_forward(void);

/* The next definition of @name, with the type of ours. */
#define FF_NEXT(name)                                               \
	((__typeof__(&(name)))(ff_next_of[FF_NEXT_##name] ?         \
				       ff_next_of[FF_NEXT_##name] : \
				       ff_next_find(FF_NEXT_##name)))

#endif
