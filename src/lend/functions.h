/* libc's functions that fork. */
#ifndef FF_LEND_FUNCTIONS_H
#define FF_LEND_FUNCTIONS_H

#include <sys/types.h>

/* The functions behind ours. */
struct ff_libc {
	void *again; /* the call was ours: where it begins anew */
	pid_t (*fork)(void);
	pid_t (*bare_fork)(void); /* _Fork; NULL: it has none */
};

#endif
