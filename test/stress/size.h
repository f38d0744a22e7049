/* What a process takes up, and what advice of fork's its memory is under. */
#ifndef STRESS_SIZE_H
#define STRESS_SIZE_H

struct size {
	long kib;      /* resident */
	long mappings; /* lines of maps */
	long fds;      /* open ones below 4096 */
	long marks;    /* mappings that children don't get, or get wiped */
};

/* Of this process. Nobody else may be forking. */
struct size size_now(void);

#endif
