/*
 * Which libc this is. Of glibc we know the versions that every test ran with;
 * nothing of ours is in force with another, with an older or newer glibc, and
 * before libc can say what it is.
 *
 * Hazards:
 * H-Q1 The object is loaded into programs of any libc, as LD_PRELOAD goes to
 *      all that a process starts. One that needs a name or a version which
 *      libc has not would end the program before it begins: so it is linked
 *      against what all have (needs.def), and the rest is weak (weak.h).
 * H-Q2 libc's insides differ from one libc to the next. What rests on them is
 *      asked of this room; where libc is not known every name is forwarded.
 */
#ifndef FF_LIBC_LIBC_H
#define FF_LIBC_LIBC_H

#include <stdbool.h>

/* The minor numbers of the first glibc 2 that has all that we use, and of the
 * last that we were tried with. */
#define FF_LIBC_OLDEST 35
#define FF_LIBC_NEWEST 43

/* Context: any; pure but for a static. */
bool ff_libc_is_known(void);

/* The same of a version as glibc tells it, or NULL. */
bool ff_libc_version_is_known(const char *version);

/* What is there instead of one that is known, for the log: the version of a
 * glibc, or NULL. */
const char *ff_libc_version(void);

/* Is it older than 2.@minor? False of what is not known. */
bool ff_libc_is_before(int minor);

#endif
