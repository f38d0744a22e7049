/*
 * Argument: the way to call it. fork, _Fork, __fork, __libc_fork (those that
 * this libc has), the system calls fork and clone, clone() with a stack of
 * its own, vfork. Each child has memory of its own (but vfork's), the right
 * ids, and execs, ends, or fails to exec.
 *
 * Test: -l fork-way-{fork,_Fork,__fork,__libc_fork} {}
 * Test: fork-way-{vfork,sys-fork,sys-clone,sys-clone-settid,sys-clone3} {}
 * Test: fork-way-clone-stack clone-stack
 */
#include "t.h"

#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *way;
static pid_t (*by_name)(void);
static volatile int mine = 1;
static int what;
static volatile pid_t told; /* by the kernel, to the parent alone */

/* What a child is to do, by raw calls and exec alone. */
static _Noreturn void do_it(int deadly)
{
	if (what == 1)
		_exit(31);
	if (what == 2) {
		execl("/nowhere/x", "x", (char *)NULL);
		_exit(32);
	}
	if (what == 3)
		kill(getpid(), deadly);
	execl(t_report, "report", "exit", "30", (char *)NULL);
	_exit(71);
}

static int child(void *arg)
{
	(void)arg;
	mine = 2;
	t_area[12 << 20] ^= 0x55;
	t_block(100)[5] ^= 0x55;
	if (told || !t_intact(t_area + (14 << 20), 65536) ||
	    getppid() == getpid())
		_exit(70);
	do_it(SIGTERM);
}

static pid_t start(void)
{
	if (by_name)
		return by_name();
	if (!strcmp(way, "sys-fork"))
		return syscall(SYS_fork);
	if (!strcmp(way, "sys-clone"))
		return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!strcmp(way, "sys-clone-settid"))
		return syscall(SYS_clone, SIGCHLD | CLONE_PARENT_SETTID, 0,
			       &told, 0, 0);
	if (!strcmp(way, "sys-clone3")) {
		uint64_t args[11] = { [4] = SIGCHLD };

		return syscall(SYS_clone3, args, sizeof(args));
	}
	if (!strcmp(way, "clone-stack"))
		return clone(child, t_area + (20 << 20), SIGCHLD, NULL);
	t_failed(__FILE__, __LINE__, "a known way");
}

/* The child of a vfork may only exec or end. */
static pid_t by_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		do_it(SIGKILL);
	return pid;
}

int main(int argc, char **argv)
{
	way = argc > 1 ? argv[1] : "fork";
	by_name = (pid_t(*)(void))dlsym(RTLD_DEFAULT, way);
	if (!strncmp(way, "sys-", 4) || !strcmp(way, "clone-stack"))
		by_name = NULL;
	else if (!by_name)
		t_skip("this libc has no such name");
	t_start(64);
	for (int i = 0; i < 8; i++) {
		pid_t pid;

		what = i % 4;
		pid = strcmp(way, "vfork") ? start() : by_vfork();
		CHECK(pid >= 0);
		if (pid == 0)
			child(NULL);
		CHECK(pid != getpid() && (!told || told == pid));
		told = 0;
		t_reap(pid, "child");
		CHECK(mine == 1);
	}
	if (!strcmp(way, "clone-stack"))
		t_fill(t_area + (19 << 20), 1 << 20);
	return t_end();
}
