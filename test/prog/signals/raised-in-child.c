/*
 * Signals that are raised at an instruction, and actions, in the child: the
 * last of some children from one place raises one that its parent, or it
 * itself, handles, and asks in the handler and behind it, and after exec, for
 * masks and alternate stack. Arguments: the signal; whether the others write,
 * so that the last is born committed. "actions": what was set for each signal
 * is asked for; "stack": an alternate stack is set where the child stands.
 *
 * Test: -l raised-in-child-CASE-trial CASE trial
 * Test: -l raised-in-child-CASE-committed CASE committed
 */
#include "t.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	CHILDREN = 7,
	UD2_BYTES = 2,
};

static char stack[64 << 10], text[4000];
static size_t used;
static sigjmp_buf back;

static void say(const char *fmt, unsigned long value)
{
	used += (size_t)snprintf(text + used, sizeof(text) - used, fmt, value);
}

static unsigned long bits(const sigset_t *set)
{
	unsigned long word;

	memcpy(&word, set, sizeof(word));
	return word;
}

static void say_mask(const char *fmt)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	say(fmt, bits(&now));
}

static void on_raised(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	char here;

	say(" code %lx", (unsigned)info->si_code);
	say(" frame %lx", bits(&uc->uc_sigmask));
	say(" of %lu", (unsigned long)uc->uc_stack.ss_size);
	say_mask(" inside %lx");
	say(" on %lu", &here > stack && &here < stack + sizeof(stack));
	if (sig == SIGILL)
		uc->uc_mcontext.gregs[REG_RIP] += UD2_BYTES;
	else if (sig != SIGTRAP)
		siglongjmp(back, 1);
}

static void handle(int sig)
{
	struct sigaction sa = { .sa_sigaction = on_raised,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	CHECK(!sigaction(sig, &sa, NULL));
}

static void raise_it(int sig)
{
	char *empty;
	int fd, quotient;

	if (sig == SIGILL) {
		__asm__ volatile("ud2");
	} else if (sig == SIGTRAP) {
		__asm__ volatile("int3");
	} else if (sig == SIGFPE) {
		__asm__ volatile("divl %2"
				 : "=a"(quotient)
				 : "0"(1), "r"(0), "d"(0));
	} else {
		fd = memfd_create("empty", 0);
		empty = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		CHECK(*(volatile char *)empty);
	}
}

static void raises(int sig)
{
	struct sigaction now;
	stack_t own;

	if (!sigsetjmp(back, 1))
		raise_it(sig);
	say_mask(" behind %lx");
	CHECK(!sigaltstack(NULL, &own) && !sigaction(sig, NULL, &now));
	say(" stack %lu", own.ss_size);
	say(" ours %lu", now.sa_sigaction == on_raised);
	say(" mask %lx", bits(&now.sa_mask));
}

/* Kernels keep no more of an action than they know. */
static void sets_all(int sig)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} was, now = { SIG_IGN, 0xdc000007, &now, ~0ul };

	for (sig = 1; sig <= 64; sig++) {
		if (syscall(SYS_rt_sigaction, sig, &now, NULL, 8) < 0)
			continue;
		memset(&was, 0, sizeof(was));
		CHECK(!syscall(SYS_rt_sigaction, sig, NULL, &was, 8));
		if (sig % 10 == 1)
			say(" %lx", was.flags);
		say(" %lx", ~was.mask);
	}
}

/* Nobody changes the stack that he stands on. */
static void stands_on(int sig)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	stack_t around = { .ss_sp = (void *)(here - (100 << 10)),
			   .ss_size = 200 << 10 },
		was;

	(void)sig;
	CHECK(!sigaltstack(&around, NULL));
	around.ss_size -= 4096;
	say(" changed %ld", (unsigned long)sigaltstack(&around, NULL));
	CHECK(!sigaltstack(NULL, &was));
	say(" flags %lx", (unsigned)was.ss_flags);
	say(" of %lu", was.ss_size);
}

static const struct {
	const char *name;
	int sig;
	void (*act)(int sig);
} acts[] = {
	T_CASE("ill", SIGILL, raises),	T_CASE("trap", SIGTRAP, raises),
	T_CASE("fpe", SIGFPE, raises),	T_CASE("bus", SIGBUS, raises),
	T_CASE("actions", 0, sets_all), T_CASE("stack", 0, stands_on),
};

static void child_runs(int sig, void (*act)(int sig), bool last, bool own)
{
	if (own && sig)
		handle(sig);
	if (!last)
		t_exec_exit(5);
	act(sig);
	t_exec_say("%s", text);
}

int main(int argc, char **argv)
{
	const stack_t mine = { .ss_sp = stack, .ss_size = sizeof(stack) };
	bool writes = argc > 2 && !strcmp(argv[2], "committed"), own;
	size_t which = 0;
	pid_t pid;

	CHECK(argc > 1);
	while (strcmp(acts[which].name, argv[1]))
		which++;
	CHECK(!sigaltstack(&mine, NULL));
	own = acts[which].sig == SIGILL;
	if (!own && acts[which].sig)
		handle(acts[which].sig);
	t_start(64);
	for (int i = 0; i < CHILDREN; i++) {
		pid = t_fork();
		if (pid == 0) {
			if (writes)
				CHECK(write(1, "", 0) == 0);
			child_runs(acts[which].sig, acts[which].act,
				   i == CHILDREN - 1, own);
		}
		t_reap(pid, "child");
	}
	/* the mask that children inherit */
	pid = t_fork();
	if (pid == 0)
		t_exec_report("pending");
	t_reap(pid, "next");
	return t_end();
}
