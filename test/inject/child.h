/* What the children of these forks do, and what they and their parent have in
 * common. Children make calls of their own, which may fail, too. */
#ifndef INJECT_CHILD_H
#define INJECT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* How a child ends that does not come to exec. */
enum {
	CHILD_REFUSED = 50, /* a call of its own said what the tracer let it */
	CHILD_WRONG = 51,   /* ... something else */
	CHILD_TORN = 52,    /* its memory is not its parent's */
	CHILD_WHOLE = 53,   /* it is */
};

/* Before all: what forks leave out of the copy, and how children are told. */
void forks_prepare(void);
/* What children and parent talk by; again in each process. */
bool forks_pipes(void);
/* The same, and a thread. */
bool forks_thread(void);
/* In the process: has it its memory, as it was? */
bool forks_intact(void);
/* Take back what the last fork left to be read: how many bytes there were. */
unsigned forks_drain(void);
/* The child reads, or spins, until then. */
void forks_let_read(void);
void forks_let_spin(void);

/* A child that looks at all its memory; or fork's -1. */
pid_t forks_whole(void);

/* The child ends, if a call of its own said @rc, which is negative. */
void child_own(long rc);
void child_say(void); /* a byte, to its parent */
void child_wait_for_go(void);
void child_let_itself_read(void);
void child_spin(void);
void child_look_here_and_there(void);
void child_look_everywhere(void);
void child_look_at_cpus(void);
void child_scribble(void); /* into its parent's memory, if that were its own */
void child_change_itself(void);
_Noreturn void child_start(const char *path);

#endif
