/*
 * Forks on ucontext stacks of 16 KiB with a guard page below: whatever the
 * fork needs beyond libc's own use must be found elsewhere, in the parent
 * and in the child, which also makes system calls and touches absent memory
 * there, switches contexts, and execs.
 *
 * Test: -l
 */
#include "t.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum {
	STACK = 16 << 10,
	PAGE = 4096,
	TIMES = 8
};

static ucontext_t back, context, other;
static char *stack, *stack2;
static int switched;

static void in_other(void)
{
	switched = t_intact(t_area + (3 << 20), 4096);
	swapcontext(&other, &context);
}

static void start(ucontext_t *c, char *sp, void (*f)(void))
{
	getcontext(c);
	c->uc_stack.ss_sp = sp + PAGE;
	c->uc_stack.ss_size = STACK;
	c->uc_link = &back;
	makecontext(c, f, 0);
}

static void forks(void)
{
	for (int i = 0; i < TIMES; i++) {
		pid_t pid = t_fork();
		int status;

		if (pid == 0) {
			start(&other, stack2, in_other);
			swapcontext(&context, &other);
			execl(t_report, "report", "exit",
			      switched ? "21" : "22", (char *)0);
			_exit(1);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 21);
	}
}

static char *make_stack(void)
{
	char *p = mmap(NULL, PAGE + STACK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && !mprotect(p, PAGE, PROT_NONE));
	return p;
}

int main(void)
{
	t_start(64);
	stack = make_stack();
	stack2 = make_stack();
	start(&context, stack, forks);
	swapcontext(&back, &context);
	CHECK(!switched);
	printf("%d forks on 16 KiB\n", TIMES);
	return t_end();
}
