/* A seccomp filter that answers for the kernel, see deny.h. */
#include "deny.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct name {
	const char *text;
	int value;
};

#define CALL(x)             \
	{                   \
#x, SYS_##x \
	}
#define ERROR(x)      \
	{             \
#x, x \
	}
static const struct name calls[] = {
	CALL(clone3),
	CALL(clone),
	CALL(vfork),
	CALL(fork),
	CALL(close_range),
	CALL(close),
	CALL(dup2),
	CALL(dup3),
	CALL(chdir),
	CALL(fchdir),
	CALL(setsid),
	CALL(setpgid),
	CALL(setuid),
	CALL(setgid),
	CALL(setreuid),
	CALL(setregid),
	CALL(setresuid),
	CALL(setresgid),
	CALL(execve),
	CALL(execveat),
	CALL(open),
	CALL(openat),
	CALL(ioctl),
	CALL(mmap),
	CALL(munmap),
	CALL(mprotect),
	CALL(prctl),
	CALL(rt_sigprocmask),
	CALL(rt_sigaction),
	CALL(wait4),
	CALL(waitid),
	CALL(nanosleep),
	CALL(sched_setparam),
	CALL(sched_setscheduler),
	CALL(getrlimit),
	CALL(prlimit64),
	CALL(fcntl),
	CALL(rt_sigtimedwait),
	CALL(pipe2),
	CALL(getpgid),
	CALL(getpgrp),
	CALL(getpid),
	CALL(readlinkat),
	CALL(madvise),
};
/* Not an error: the end of who makes the call. */
#define KILL 4096

static const struct name errors[] = {
	ERROR(EPERM),  ERROR(EAGAIN), ERROR(ENOMEM), ERROR(EACCES),
	ERROR(EINVAL), ERROR(EMFILE), ERROR(ENOSYS), ERROR(EINTR),
	ERROR(EIO),    ERROR(ENOTTY), ERROR(KILL),
};

static int find(const struct name *in, size_t n, const char *text, size_t bytes)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(in[i].text) == bytes &&
		    !memcmp(in[i].text, text, bytes))
			return in[i].value;
	return -1;
}

int deny(const char *what)
{
	struct sock_filter code[64] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { 1, code };

	while (*what && program.len < 60) {
		size_t name = strcspn(what, "="), value;
		int nr =
			find(calls, sizeof(calls) / sizeof(*calls), what, name);
		int error;

		what += name + (what[name] == '=');
		value = strcspn(what, ",");
		error = find(errors, sizeof(errors) / sizeof(*errors), what,
			     value);
		what += value + (what[value] == ',');
		if (nr < 0 || error < 0)
			return -1;
		code[program.len++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1);
		code[program.len++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K,
			error == KILL ? SECCOMP_RET_KILL_PROCESS :
					SECCOMP_RET_ERRNO | (unsigned)error);
	}
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							   SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
