/*
 * What the user asked for: the environment, when the object is loaded, and
 * the configuration files, when the first fork, vfork or spawn is about to be
 * decided. A program that starts nothing makes no system call for them.
 */
#ifndef FF_WAYS_SETTINGS_H
#define FF_WAYS_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>

/* The environment. In a constructor, or before it in the first interposed
 * call. */
void ff_settings_begin(void);

/*
 * The configuration files, before the first decision. What is said there may
 * switch us off. Once in a program, for its children as well.
 * Context: any, signal handlers included; keeps errno.
 */
extern _Atomic bool ff_settings_are_whole;
void ff_settings_read(void);

static inline void ff_settings_complete(void)
{
	if (!atomic_load(&ff_settings_are_whole))
		ff_settings_read();
}

/*
 * The process has another root directory: where the object is not in it, no
 * program that is started there is to look for it. Changes the environment, in
 * place; not beside other threads, who may be reading it, and not in a process
 * that has put itself under a filter.
 */
void ff_settings_root_is_another(void);

#endif
