/* System calls that fail from now on, in this process and what it starts. */
#ifndef DENY_H
#define DENY_H

/* "clone3=ENOSYS,getpid=KILL": fails, or ends the process. Returns 0; -1: no
 * seccomp here, or a name is not known. Uses no libc function that a name may stand for. */
int deny(const char *what);

#endif
