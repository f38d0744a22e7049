/*
 * Raw system calls that return -errno. They are made from ff_sys() alone,
 * which lies in the range that syscall user dispatch lets through, so they
 * are also the only ones that may be made where dispatch is armed. No errno,
 * no cancellation, no libc.
 */
#ifndef FF_HOST_SYS_H
#define FF_HOST_SYS_H

#include <sys/syscall.h>

#include "arch/call.h"

/* Headers of before Linux 5.16, and 6.10, lack them. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#define FF_SYS_PICK(_0, _1, _2, _3, _4, _5, _6, n, ...) n
#define ff_sys_0(nr) ff_sys(nr, 0, 0, 0, 0, 0, 0)
#define ff_sys_1(nr, a) ff_sys(nr, (long)(a), 0, 0, 0, 0, 0)
#define ff_sys_2(nr, a, b) ff_sys(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define ff_sys_3(nr, a, b, c) \
	ff_sys(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define ff_sys_4(nr, a, b, c, d) \
	ff_sys(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define ff_sys_5(nr, a, b, c, d, e) \
	ff_sys(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define ff_sys_6(nr, a, b, c, d, e, f)                                    \
	ff_sys(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
	       (long)(f))

/* sys(close, fd), sys(openat, dirfd, path, flags, mode), ... */
#define sys(name, ...)                                                         \
	FF_SYS_PICK(_0, ##__VA_ARGS__, ff_sys_6, ff_sys_5, ff_sys_4, ff_sys_3, \
		    ff_sys_2, ff_sys_1, ff_sys_0)                              \
	(SYS_##name, ##__VA_ARGS__)

/* Is it -errno? Addresses are results, too. */
static inline int ff_is_error(long result)
{
	return result < 0 && result > -4096;
}

static inline int ff_getpid(void)
{
	return (int)sys(getpid);
}

static inline int ff_gettid(void)
{
	return (int)sys(gettid);
}

/* This process, and no function of libc's is called for it. */
static inline _Noreturn void ff_end(void)
{
	for (;;)
		sys(exit_group, 0);
}

#endif
