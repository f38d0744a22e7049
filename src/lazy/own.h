/*
 * Descriptors of a lazy child: which are the pager's, and which it made
 * itself, so that nobody else sees what it does with them.
 */
#ifndef FF_LAZY_OWN_H
#define FF_LAZY_OWN_H

#include <stdbool.h>
#include <sys/stat.h>
#include <ucontext.h>

enum ff_own {
	FF_FOREIGN,
	FF_OWN_FILE, /* a regular file or directory it opened: may be read */
	FF_OWN_PIPE, /* a pipe, socket pair or eventfd: may be used */
};

enum ff_own ff_get_own(long fd);
void ff_set_own(long fd, enum ff_own own);
bool ff_is_own_file(long fd);

/* null, zero, full, random, urandom: nobody sees, nothing blocks. */
bool ff_is_null(const struct stat *st);

/*
 * A call made descriptor @fd (or failed). Without ours it might have got a
 * lower number, or got one at all: then the child can't go on here (H-M3).
 */
void ff_answer_fd(ucontext_t *uc, long nr, long fd);

#endif
