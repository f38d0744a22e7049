/* /etc/ld.so.preload, of this machine or of an image of one. */
#ifndef FF_CLI_SYSTEM_LIST_H
#define FF_CLI_SYSTEM_LIST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SYSTEM_LIST "/etc/ld.so.preload"
#define SYSTEM_LIST_MAX ((size_t)64 << 10)

struct system_list {
	const char *where;	    /* for complaints */
	const char *root;	    /* as realpath() has it; "": this machine */
	char path[PATH_MAX];	    /* root and SYSTEM_LIST */
	char text[SYSTEM_LIST_MAX]; /* what it has; "" where there is none */
	bool exists;
	mode_t mode;
};

/* Of root's, which is set; false after a complaint. @lock: nobody else of us
 * changes it until this process ends. */
bool system_list_read(struct system_list *list, bool lock);

/* The first entry that is our object, and its length; NULL: there is none. */
const char *system_list_ours(const struct system_list *list, size_t *ret_bytes);

/* Put @text in the place of the list, in one step; NULL: there is to be none.
 * False after a complaint. Whoever is killed meanwhile leaves a file beside it
 * that the next one replaces. */
bool system_list_replace(const struct system_list *list, const char *text);

#endif
