/*
 * The environment, for who may be called before libc has begun: by what the
 * program has in .preinit_array, as sanitizers do.
 */
#ifndef FF_LIBC_ENVIRONMENT_H
#define FF_LIBC_ENVIRONMENT_H

#include <stdbool.h>

/* Before that, libc has no environment, and loads no library for us. */
bool ff_libc_has_begun(void);

/* libc's, or before it has one, what the kernel gave the process. Context: any;
 * no system call, no lock. */
char *const *ff_environment(void);

/* The value of @name there; NULL: it is not set. */
const char *ff_environment_value(const char *name);

/*
 * What this program is called, without folders, up to a NULL: its file, which
 * for a script is the script, and its first argument, where a script has its
 * interpreter. Before the program has had time to change them.
 */
#define FF_PROGRAM_NAMES 3
void ff_program_names(const char *ret_name[FF_PROGRAM_NAMES]);

/* The first of them, or NULL, at any time: no argument is looked at, which may
 * be anything by then. */
const char *ff_program_file(void);

#endif
