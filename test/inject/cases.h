/* The loop over the calls that fail: each in a process of its own, which is
 * forked for it and traced. */
#ifndef INJECT_CASES_H
#define INJECT_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "inject.h"

/* By arguments: [-v] [-a] [-e] [NAME [SIDE NTH WHICH]]. */
struct cases_asked {
	bool verbose;
	bool all;   /* every error of each call; else one of each, and of many
		       calls of one kind in a row not all */
	bool every; /* all later calls of the kind fail, too */
	const char *only; /* of one name; NULL: of all */
	int side;	  /* one call alone, if not -1 */
	unsigned nth, which;
};
extern struct cases_asked cases_asked;
void cases_parse(int n, char **argv);

/* Shared by all processes of a run; what came of it is counted there. */
struct cases_count {
	unsigned failed, started, refused; /* of one subject */
	unsigned wrong;
};
extern struct cases_count *cases_count;

struct subject {
	const char *name;
	/* In a new process: makes the call of number inject->nth fail, if that
	 * is not 0, and looks at what comes of it. */
	void (*run)(const void *way);
	const void *way;
	unsigned seconds; /* no case takes longer, unless it hangs */
};

/* Before all else. */
void cases_prepare(void);
void *cases_share(size_t bytes);

/* Libc's own: a process that is not one of ours, or its child. */
extern pid_t (*cases_fork)(void);

/* Nothing fails. */
void cases_run_whole(const struct subject *subject);

/* Each call of each side: how many there are. If only one was asked for, that. */
void cases_run(const struct subject *subject, unsigned ret_tried[INJECT_SIDES]);

/* In the process of a case. @outcome: what became of it, in words. */
void cases_tell(bool refused, const char *outcome);
void cases_wrong(const char *when, const char *what, const char *outcome);

/* Also of 0, and of CALL_SHORT. */
const char *cases_error_name(int error);

#endif
