/*
 * A process that would be killed for reading the processor's time stamp
 * counter (PR_SET_TSC): it forks, vforks and spawns all the same, whether that
 * is said by prctl(), by syscall() or by an instruction of the program's own.
 *
 * Test: -l clock-switched-off-{prctl,syscall,instruction} {}
 */
#include "t.h"

#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void each_once(const char *when)
{
	char *argv[] = { t_report, "exit", "33", NULL };
	pid_t pid;

	printf("%s\n", when);
	pid = t_fork();
	if (pid == 0)
		t_exec_exit(30);
	t_reap(pid, "fork");
	pid = t_fork();
	if (pid == 0)
		_exit(31);
	t_reap(pid, "fork without exec");
	pid = vfork();
	if (pid == 0)
		t_exec_exit(32);
	t_reap(pid, "vfork");
	CHECK(!posix_spawn(&pid, t_report, NULL, NULL, argv, NULL));
	t_reap(pid, "spawn");
}

/* Is it as it was said? */
static void look(const char *when)
{
	int now = 0;

	CHECK(!prctl(PR_GET_TSC, &now));
	printf("%s: %d\n", when, now);
}

static long switch_off(const char *how)
{
	long rc = SYS_prctl;

	if (!strcmp(how, "prctl"))
		return prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
	if (!strcmp(how, "syscall"))
		return syscall(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV);
	__asm__ volatile("syscall"
			 : "+a"(rc)
			 : "D"(PR_SET_TSC), "S"(PR_TSC_SIGSEGV)
			 : "rcx", "r11", "memory");
	return rc;
}

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	t_start(48);
	look("at first");
	each_once("before");
	if (switch_off(argv[1]))
		t_skip("no PR_SET_TSC");
	look("then");
	each_once("afterwards");
	CHECK(!prctl(PR_SET_TSC, PR_TSC_ENABLE));
	each_once("on again");
	return t_end();
}
