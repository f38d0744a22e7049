/*
 * What the mediator knows of each system call: whether a child on trial may
 * make it, and what its arguments point at.
 *
 * Class
 *  FREE    changes nothing but the child itself, and does not block: death
 *          undoes it
 *  OUTPUT  seen by others, or can't be undone: ends a trial; a committed
 *          child makes it
 *  (a function) looks at the arguments
 *  absent from the table: ends a trial, and lets a committed child go
 *
 * Signature, a character per argument
 *  -  a number           f  a descriptor         s  a string
 *  p  a struct of at most 4096 bytes
 *  b  bytes, as many as the next argument says
 *  w  4-byte words, as many as the argument before says
 *  v  struct iovec[], as many as the next argument says, with all they name
 *  a  a NULL-terminated vector of strings
 */
#ifndef FF_LAZY_CALLS_H
#define FF_LAZY_CALLS_H

#include <stdbool.h>
#include <ucontext.h>

enum ff_class {
	FF_CLASS_LEAVE,
	FF_CLASS_FREE,
	FF_CLASS_OUTPUT,
	FF_CLASS_LOOK,
};

/* No pointers: every program that is started would pay for relocating them. */
struct ff_rule {
	unsigned char class; /* enum ff_class */
	unsigned char look;  /* LOOK: which, enum ff_look */
	char signature[7];
};

/* NULL for a call that is not in the table. */
const struct ff_rule *ff_rule(long nr);

/* The pieces of the mediator that the looks are made of. */

/* Fetch what the arguments point at by @signature. */
bool ff_serve(ucontext_t *uc, long nr, const char *signature);
/* ... and make the call; what it answers is the program's. */
void ff_pass(ucontext_t *uc, long nr, const char *signature);
/* ... and whose @signature names each byte that it touches: made once, whatever
 * it answers, and signals that it raised are taken. */
void ff_transfer(ucontext_t *uc, long nr, const char *signature);
/* A call that others see: end the trial, or pass. */
void ff_output(ucontext_t *uc, long nr, const char *signature);
/* Nothing was made: answer for the kernel. */
void ff_answer(ucontext_t *uc, long result);
/* Raw, with the arguments as they are. */
long ff_make(const ucontext_t *uc, long nr);

bool ff_is_our_fd(long fd);

#define FF_LOOKS(X)                                                         \
	X(read)                                                             \
	X(write)                                                            \
	X(open)                                                             \
	X(openat)                                                           \
	X(creat) X(close) X(close_range) X(dup) X(dup2) X(dup3) X(fcntl) X( \
		ioctl) X(lseek) X(pipe) X(poll) X(pselect6) X(getdents64)   \
		X(mmap) X(munmap) X(mremap) X(mprotect) X(madvise) X(brk)   \
			X(rt_sigaction) X(rt_sigprocmask) X(rt_sigreturn)   \
				X(sigaltstack) X(set_robust_list) X(futex)  \
					X(prctl) X(self) X(setpgid) X(kill) \
						X(execve) X(execveat) X(exit) \
						X(rt_sigpending)

#define X(name) FF_LOOK_##name,
enum ff_look {
	FF_LOOK_none,
	FF_LOOKS(X)
};
#undef X

#define X(name) void ff_look_##name(ucontext_t *uc, long nr);
FF_LOOKS(X)
#undef X

/* Decide by the arguments, and make the call or not. */
void ff_look(enum ff_look look, ucontext_t *uc, long nr);

#endif
