/*
 * Descriptors of a lazy child: which are the pager's, and which it made
 * itself, so that nobody else sees what it does with them.
 */
#ifndef FF_LAZY_CHILD_OWN_H
#define FF_LAZY_CHILD_OWN_H

#include <stdbool.h>
#include <sys/stat.h>
#include <ucontext.h>

enum ff_own {
	FF_FOREIGN,
	FF_OWN_FILE, /* a regular file or directory it opened: may be read */
	FF_OWN_PIPE, /* a pipe, socket pair or eventfd: may be used */
	FF_OWN_SET,  /* an epoll set: may have what may be used in it */
};

/* Is a part of the path the number of one of ours? It is there to be read. */
bool ff_is_name_of_ours(const char *path);

enum ff_own ff_get_own(long fd);
void ff_set_own(long fd, enum ff_own own);
bool ff_is_own_file(long fd);

/* How many there are: as many too many are told of. */
int ff_our_fds(void);

/*
 * A call made descriptor @fd, the lowest free one from @from on, or failed.
 * Without ours it might have got a lower number, or got one at all: then the
 * child can't go on here, and makes the call anew (H-M3).
 */
void ff_answer_fd(ucontext_t *uc, long nr, long from, long fd);
/* The same for two that are made at once. */
void ff_answer_pair(ucontext_t *uc, long nr, const int pair[2]);

/* Before a call that must not be made anew: would what it makes get the number
 * that it gets without ours? */
bool ff_next_fd_is_free(void);

#endif
