/*
 * Runs a program on ground from which something is missing.
 *
 * without WHAT PROGRAM [ARGUMENT...]
 *   seccomp      a filter is in force, and lets everything through
 *   sud          a filter answers prctl(PR_SET_SYSCALL_USER_DISPATCH) with
 *                EINVAL, as a kernel without it does
 *   proc         /proc is not mounted, in a mount namespace of its own
 * Exit: 77 when that cannot be arranged here, 127 when PROGRAM cannot be run.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

static int cannot(const char *what)
{
	fprintf(stderr, "without: %s: %s\n", what, strerror(errno));
	return 77;
}

static int install(struct sock_filter *filter, unsigned short length)
{
	struct sock_fprog program = { length, filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return cannot("PR_SET_NO_NEW_PRIVS");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		return cannot("PR_SET_SECCOMP");
	return 0;
}

static int without_nothing(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install(filter, 1);
}

static int without_sud(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			 PR_SET_SYSCALL_USER_DISPATCH, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install(filter, sizeof(filter) / sizeof(*filter));
}

static int without_proc(void)
{
	if (unshare(CLONE_NEWNS))
		return cannot("unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return cannot("mount");
	if (umount2("/proc", MNT_DETACH))
		return cannot("umount /proc");
	if (access("/proc/self", F_OK) == 0) {
		errno = EBUSY;
		return cannot("another /proc is below");
	}
	return 0;
}

int main(int argc, char *argv[])
{
	int status;

	if (argc < 3)
		return 1;
	if (!strcmp(argv[1], "seccomp"))
		status = without_nothing();
	else if (!strcmp(argv[1], "sud"))
		status = without_sud();
	else if (!strcmp(argv[1], "proc"))
		status = without_proc();
	else
		return 1;
	if (status)
		return status;
	execvp(argv[2], argv + 2);
	fprintf(stderr, "without: %s: %s\n", argv[2], strerror(errno));
	return 127;
}
