/*
 * The one table of system calls (calls.def) and of what they are asked for
 * (requests.def). What it does not know it denies: the row of such a call is
 * all zero, and the first enumerator of each column is the careful one.
 */
#ifndef FF_CALLS_CALLS_H
#define FF_CALLS_CALLS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/* Looks at arguments in a lazy child, lazy/child/call_*.c, ff_look_... */
/* clang-format off */
#define FF_LOOKS(X)         \
	X(brk)              \
	X(clone)            \
	X(clone3)           \
	X(close)            \
	X(close_range)      \
	X(creat)            \
	X(dup)              \
	X(dup2)             \
	X(dup3)             \
	X(epoll_ctl)        \
	X(epoll_wait)       \
	X(execve)           \
	X(execveat)         \
	X(exit)             \
	X(fcntl)            \
	X(futex)            \
	X(getdents64)       \
	X(getsockopt)       \
	X(ioctl)            \
	X(kill)             \
	X(lseek)            \
	X(madvise)          \
	X(mmap)             \
	X(mprotect)         \
	X(mremap)           \
	X(munmap)           \
	X(open)             \
	X(openat)           \
	X(personality)      \
	X(pipe)             \
	X(poll)             \
	X(ppoll)            \
	X(prctl)            \
	X(prlimit64)        \
	X(read)             \
	X(rseq)             \
	X(rt_sigaction)     \
	X(rt_sigpending)    \
	X(rt_sigprocmask)   \
	X(rt_sigreturn)     \
	X(select)           \
	X(self)             \
	X(set_robust_list)  \
	X(set_tid_address)  \
	X(setpgid)          \
	X(setrlimit)        \
	X(sigaltstack)      \
	X(stat)             \
	X(unshare)          \
	X(write)
/* clang-format on */

enum ff_lazy {
	FF_LAZY_LEAVE,
	FF_LAZY_FREE,
	FF_LAZY_OUTPUT,
#define X(name) FF_LAZY_##name,
	FF_LOOKS(X)
#undef X
	/* Of requests: the look of the call knows, ... */
	FF_LAZY_LOOK,
	FF_LAZY_HINT,
	FF_LAZY_HAVE,
	FF_LAZY_OWN,
};

/* The looks are in lend/child/fenced.c. */
enum ff_fence_way {
	FF_FENCE_LEAVE,
	FF_FENCE_PASS,
	FF_FENCE_action,
	FF_FENCE_exec,
	FF_FENCE_fcntl,
	FF_FENCE_file,
	FF_FENCE_ids,
	FF_FENCE_ioctl,
	FF_FENCE_limit,
	FF_FENCE_mask,
	FF_FENCE_prctl,
	FF_FENCE_read,
	FF_FENCE_uid,
	FF_FENCE_write,
};

enum ff_waits {
	FF_WAITS_LOCKS,
	FF_WAITS_AGAIN,
	FF_WAITS_ONCE,
	FF_WAITS_STILL,
};

enum ff_in_fork {
	FF_FORK_ABANDON,
	FF_FORK_NEVER,
	FF_FORK_MAKE,
	FF_FORK_CLONE,
	FF_FORK_MASK,
	FF_FORK_LOCK,
};

enum ff_in_vfork {
	FF_VFORK_UNKNOWN,
	FF_VFORK_ON,
	FF_VFORK_IDS,
	FF_VFORK_MEMORY,
	FF_VFORK_ADVICE,
	FF_VFORK_UNMAPS,
	FF_VFORK_MOVES,
	FF_VFORK_EXECS,
	FF_VFORK_PRCTL,
	FF_VFORK_SECCOMP,
	FF_VFORK_DISPATCH,
	FF_VFORK_PIDNS,
	FF_VFORK_CHILDREN,
	FF_VFORK_UFFD,
	FF_VFORK_RINGS,
	FF_VFORK_GIVES,
	FF_VFORK_SEALS,
	FF_VFORK_PERSONA,
	FF_VFORK_OWN, /* only of requests */
	FF_VFORK_STATE,
	FF_VFORK_FORKS,
	FF_VFORK_SENDS,
};

#define FF_CALL_ARGUMENTS 6
#define FF_NO_NUL __attribute__((nonstring))

/* No pointers: every program that is started would pay for relocating them. */
struct ff_call {
	uint8_t lazy;				     /* enum ff_lazy */
	uint8_t fence;				     /* enum ff_fence_way */
	uint8_t waits : 2;			     /* enum ff_waits */
	uint8_t in_fork : 3;			     /* enum ff_in_fork */
	uint8_t rights : 1;			     /* fact R */
	uint8_t in_vfork;			     /* enum ff_in_vfork */
	char signature[FF_CALL_ARGUMENTS] FF_NO_NUL; /* or ends at one */
};

/* Never NULL. */
const struct ff_call *ff_call(long nr);

/* By a string, and other than to exec it. */
bool ff_names_a_file(const struct ff_call *call);

struct ff_request_rule {
	uint32_t number;
	uint16_t nr;
	uint8_t lazy, fence, in_vfork;
	char signature[FF_CALL_ARGUMENTS] FF_NO_NUL;
};

/* What call @nr is asked for; never NULL. */
const struct ff_request_rule *ff_request_rule(long nr, unsigned long number);

/* Has the call flags that are not known? */
bool ff_has_odd_flags(const ucontext_t *uc, long nr);

/* Can others have power over the caller, or he none over others, behind it? */
bool ff_may_change_rights(const ucontext_t *uc, long nr);

/*
 * A call by another ABI than that of this table has numbers and arguments of
 * its own. It gets a number that no row has, whose lower half is its own.
 */
#define FF_OTHER_ABI (1L << 32)
long ff_call_number(const siginfo_t *info);

/* How many bytes the kernel writes for this character of a signature, if it
 * says how many; 0: it writes none; SIZE_MAX: not told. */
size_t ff_bytes_written(char kind);

#endif
