/*
 * Spawns where a filter forbids what they would like to use, as in older
 * containers: the results are the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn/parent/spawn.h"
#include "unit.h"

const char unit_subject[] = "spawn_filtered";

#define STEP(k, ...)                             \
	(struct ff_step)                         \
	{                                        \
		.kind = FF_STEP_##k, __VA_ARGS__ \
	}

static const struct {
	int nr, error, nr2, error2;
} filters[] = {
	{ SYS_clone3, EPERM, SYS_clone3, EPERM },
	{ SYS_clone3, ENOSYS, SYS_clone3, ENOSYS },
	{ SYS_clone3, EINVAL, SYS_clone3, EINVAL },
	{ SYS_close_range, ENOSYS, SYS_close_range, ENOSYS },
	{ SYS_close_range, EPERM, SYS_clone3, EPERM },
	{ SYS_clone3, EPERM, SYS_waitid, ENOSYS },
};

#define FILTERS ((int)(sizeof(filters) / sizeof(*filters)))

static void install(struct sock_filter *code, size_t count)
{
	struct sock_fprog program = { (unsigned short)count, code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program),
			 0);
}

static void forbid(int i)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)filters[i].nr, 0,
			 1),
		BPF_STMT(BPF_RET | BPF_K,
			 SECCOMP_RET_ERRNO | (unsigned)filters[i].error),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)filters[i].nr2, 0,
			 1),
		BPF_STMT(BPF_RET | BPF_K,
			 SECCOMP_RET_ERRNO | (unsigned)filters[i].error2),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	install(code, sizeof(code) / sizeof(*code));
}

START_TEST(programs_run_and_errors_are_told)
{
	struct ff_plan plan = { .file = "/bin/false",
				.argv = (char *[]){ "false", NULL },
				.envp = environ };
	int status;
	pid_t pid;

	forbid(_i);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 1 << 8);
	}
	plan.file = "/no/such";
	ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), ENOENT);
}
END_TEST

START_TEST(descriptors_are_closed)
{
	static const struct ff_step step[] = {
		STEP(OPEN, .fd = 1, .text = "unit-filtered.tmp",
		     .number = O_WRONLY | O_CREAT | O_TRUNC, .mode = 0600),
		STEP(DUP2, .fd = 1, .number = 300),
		STEP(CLOSEFROM, .fd = 3),
	};
	struct ff_plan plan = { .file = "/bin/ls",
				.argv = (char *[]){ "ls", "/proc/self/fd",
						    NULL },
				.envp = environ };
	char text[64];
	pid_t pid;

	ck_assert_int_eq(dup2(0, 500), 500);
	ck_assert_int_eq(dup2(0, 100), 100);
	forbid(_i);
	for (unsigned first = 1; first < 2; first--) {
		/* once where it might be shared, once where it can't */
		plan.steps[FF_PHASE_ACTIONS] =
			(struct ff_steps){ step + first, 3 - first };
		if (first) {
			int out = open("unit-filtered.tmp",
				       O_WRONLY | O_CREAT | O_TRUNC, 0600);

			ck_assert_int_eq(dup2(out, 1), 1);
			close(out);
		}
		ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), 0);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		ck_assert_int_ge(unit_read_file("unit-filtered.tmp", text,
						sizeof(text)),
				 0);
		ck_assert_str_eq(text, "0\n1\n2\n3\n");
	}
	unlink("unit-filtered.tmp");
	ck_assert_int_ge(fcntl(500, F_GETFD), 0);
}
END_TEST

/* A filter that knows the flags of vfork and of no other. */
static void allow_vfork_only(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_FILES, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	install(code, sizeof(code) / sizeof(*code));
}

START_TEST(a_filter_may_know_vforks_flags_only)
{
	static const struct ff_step step = STEP(CLOSEFROM, .fd = 3);
	struct ff_plan plan = { .file = "/bin/true",
				.argv = (char *[]){ "true", NULL },
				.envp = environ };
	int status;
	pid_t pid;

	allow_vfork_only();
	for (unsigned count = 0; count < 2; count++) {
		plan.steps[FF_PHASE_ACTIONS] =
			(struct ff_steps){ &step, count };
		ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_loop_test(tests, programs_run_and_errors_are_told, 0,
			    FILTERS);
	tcase_add_test(tests, a_filter_may_know_vforks_flags_only);
	tcase_add_loop_test(tests, descriptors_are_closed, 0, FILTERS);
}
