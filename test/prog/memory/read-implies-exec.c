/*
 * From when on a process asks for READ_IMPLIES_EXEC (personality), what it
 * makes readable can be executed as well. What was readable before can't, in
 * the process and its children, whichever of them asked, before the fork or
 * behind it, by libc's name or by number.
 *
 * Test: read-implies-exec-CASE CASE
 */
#define CASES_MIB 48
#include "cases.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	TIMES = 6,
	RET = 0xc3,
	BYTES = 4 << 20
};

static unsigned char *code;

static void ask(void)
{
	int now = personality(0xffffffff);

	CHECK(now >= 0 && !(now & READ_IMPLIES_EXEC));
	CHECK(personality((unsigned long)now | READ_IMPLIES_EXEC) == now);
}

static void ask_by_number(void)
{
	long now = syscall(SYS_personality, 0xffffffffUL);

	CHECK(now >= 0);
	CHECK(syscall(SYS_personality, now | READ_IMPLIES_EXEC) == now);
}

static void do_nothing(void)
{
}

static void run(unsigned char *at)
{
	((void (*)(void))(uintptr_t)at)();
}

/* The page was not looked at, or was; then one made readable now. */
static _Noreturn void act(int how)
{
	unsigned char *own;

	if (how == 1)
		CHECK(code[0] == RET);
	if (how < 2)
		run(code);
	own = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(own != MAP_FAILED);
	own[0] = RET;
	run(own);
	t_exec_exit(4);
}

static void children(void (*ask_before)(void), void (*ask_in_child)(void))
{
	code = t_anon(BYTES);
	code[0] = RET;
	for (int i = 0; i < 2; i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			t_exec_exit(5);
		t_reap(pid, "before");
	}
	ask_before();
	for (int i = 0; i < TIMES; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			ask_in_child();
			act(i % 3);
		}
		t_reap(pid, "child");
	}
	munmap(code, BYTES);
}

CASE(parent)
{
	children(ask, do_nothing);
}

CASE(parent_by_number)
{
	children(ask_by_number, do_nothing);
}

CASE(child)
{
	children(do_nothing, ask);
}

CASE(child_by_number)
{
	children(do_nothing, ask_by_number);
}

CASE(nobody)
{
	children(do_nothing, do_nothing);
}

CASES_MAIN
