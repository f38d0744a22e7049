/*
 * A program that was given more rights than whoever started it has (set-user-
 * id, file capabilities) and has us as a library that it is linked with, or by
 * ld.so.preload. Its environment is that of somebody it must not trust: not
 * one variable of ours is read, no file is opened, nothing happens.
 */
#ifndef FF_HOST_PRIVILEGE_H
#define FF_HOST_PRIVILEGE_H

#include <stdbool.h>
#include <sys/auxv.h>

/* By the kernel's word when it was started. Context: any; no system call. */
static inline bool ff_is_privileged(void)
{
	return getauxval(AT_SECURE) != 0;
}

#endif
