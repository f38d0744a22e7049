/*
 * A system call, made where syscall user dispatch lets it through: -errno, no
 * libc. In sys.S of the processor. Its wrapper, which is what all call, is sys()
 * of host/sys.h.
 */
#ifndef FF_ARCH_CALL_H
#define FF_ARCH_CALL_H

long ff_sys(long nr, long a, long b, long c, long d, long e, long f);

#endif
