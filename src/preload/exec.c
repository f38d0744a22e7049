/*
 * The names that end this program. Each says so to ff_ending(), then is libc's.
 * In a lazy child nothing is said: it is not a process yet.
 */
#include <alloca.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "host/identity.h"
#include "host/sandbox.h"
#include "host/sys.h"
#include "lazy/child/child.h"
#include "lazy/child/last.h"
#include "lend/child/borrower.h"
#include "preload/heirs.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/stance.h"
#include "ways/ending.h"

/* A borrower has nothing to say: the counters are its parent's. */
static bool ends(enum ff_ending how)
{
	return !ff_is_borrower() && ff_ending(how);
}

bool ff_exec_begins(void)
{
	ff_borrower_execs();
	return ends(FF_ENDING_EXEC);
}

/* What exec returns is an error. */
static int failed(bool held, int rc)
{
	if (held)
		ff_exec_failed();
	return rc;
}

#define EXEC(call)                             \
	do {                                   \
		bool held_ = ff_exec_begins(); \
		return failed(held_, (call));  \
	} while (0)

int execveat(int dir, const char *path, char *const argv[], char *const envp[],
	     int flags);

FF_EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	FF_HEIRS(envp);
	EXEC(FF_NEXT(execve)(path, argv, envp));
}

FF_EXPORT int execv(const char *path, char *const argv[])
{
	char *const *own = environ, *const *envp = own;

	FF_HEIRS(envp);
	if (envp != own)
		EXEC(FF_NEXT(execve)(path, argv, envp));
	EXEC(FF_NEXT(execv)(path, argv));
}

FF_EXPORT int execvp(const char *file, char *const argv[])
{
	char *const *own = environ, *const *envp = own;

	FF_HEIRS(envp);
	if (envp != own)
		EXEC(FF_NEXT(execvpe)(file, argv, envp));
	EXEC(FF_NEXT(execvp)(file, argv));
}

FF_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	FF_HEIRS(envp);
	EXEC(FF_NEXT(execvpe)(file, argv, envp));
}

FF_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	FF_HEIRS(envp);
	EXEC(FF_NEXT(fexecve)(fd, argv, envp));
}

/* musl, and glibc before 2.34, have none. */
static int next_execveat(int dir, const char *path, char *const argv[],
			 char *const envp[], int flags)
{
	if (FF_NEXT(execveat))
		return FF_NEXT(execveat)(dir, path, argv, envp, flags);
	errno = -(int)sys(execveat, dir, path, argv, envp, flags);
	return -1;
}

FF_EXPORT int execveat(int dir, const char *path, char *const argv[],
		       char *const envp[], int flags)
{
	FF_HEIRS(envp);
	EXEC(next_execveat(dir, path, argv, envp, flags));
}

static size_t count_args(va_list args)
{
	size_t n = 1;

	while (va_arg(args, char *))
		n++;
	return n;
}

/* argv[0] and what follows it up to NULL, on the caller's stack. */
#define COLLECT(argv, first, last, copy)                           \
	do {                                                       \
		const char *first_ = (first);                      \
		size_t n_, i_;                                     \
		/* It may be NULL, whatever its prototype says. */ \
		__asm__("" : "+r"(first_));                        \
		va_start(copy, last);                              \
		n_ = first_ ? count_args(copy) : 0;                \
		va_end(copy);                                      \
		(argv) = alloca((n_ + 1) * sizeof(char *));        \
		va_start(copy, last);                              \
		(argv)[0] = (char *)first_;                        \
		for (i_ = 1; i_ <= n_; i_++)                       \
			(argv)[i_] = va_arg(copy, char *);         \
	} while (0)

FF_EXPORT int execl(const char *path, const char *arg, ...)
{
	char **argv;
	va_list args;

	COLLECT(argv, arg, arg, args);
	va_end(args);
	return execv(path, argv);
}

FF_EXPORT int execlp(const char *file, const char *arg, ...)
{
	char **argv;
	va_list args;

	COLLECT(argv, arg, arg, args);
	va_end(args);
	return execvp(file, argv);
}

FF_EXPORT int execle(const char *path, const char *arg, ...)
{
	char **argv, **envp;
	va_list args;

	COLLECT(argv, arg, arg, args);
	envp = va_arg(args, char **);
	va_end(args);
	return execve(path, argv, envp);
}

/* A process that others share memory with, or that we know nothing of, has an
 * exit signal of its own. */
static void ends_with(int status)
{
	ends(FF_ENDING_EXIT);
	if (ff_child.unsent && !ff_mediated && !ff_is_borrower() &&
	    !atomic_load(&ff_sandboxed) && ff_identity() == FF_SAME)
		ff_end_as_ordinary(status);
}

FF_EXPORT void _exit(int status)
{
	ends_with(status);
	FF_NEXT(_exit)(status);
	__builtin_unreachable();
}

FF_EXPORT void _Exit(int status)
{
	ends_with(status);
	FF_NEXT(_Exit)(status);
	__builtin_unreachable();
}
