/*
 * Areas with PROT_NONE, PROT_READ and PROT_EXEC, and what they hold. In the
 * child a wrong access is the program's own SIGSEGV with the right si_code
 * and address, never a fetched page; turned readable they hold what the
 * parent wrote; code in them runs. Then exec.
 *
 * Test: -l
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-area-protections
 */
#include "t.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	BYTES = 4 << 20
};

static sigjmp_buf back;
static volatile int code;
static void *volatile where;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	code = sig == SIGSEGV ? info->si_code : -info->si_code;
	where = info->si_addr;
	siglongjmp(back, 1);
}

/* The si_code of the fault, 0 if none; -1 if the address is not @p. */
static int try_read(volatile char *p)
{
	if (sigsetjmp(back, 1))
		return where == p ? code : -1;
	(void)*p;
	return 0;
}

static int try_write(volatile char *p)
{
	if (sigsetjmp(back, 1))
		return where == p ? code : -1;
	*p = 1;
	return 0;
}

/* Without a fault: for most programs protections just change. */
static void quiet(char *none, char *ro, int (*code42)(void))
{
	int fine[4];

	mprotect(none, BYTES, PROT_READ);
	fine[0] = t_intact(none, BYTES);
	fine[1] = t_intact(ro, BYTES);
	mprotect(ro, BYTES / 2, PROT_READ | PROT_WRITE);
	memset(ro, 1, BYTES / 2);
	fine[2] = t_intact(ro + BYTES / 2, BYTES / 2);
	fine[3] = code42();
	t_exec_say("quiet %d %d %d %d", fine[0], fine[1], fine[2], fine[3]);
}

static void child(char *none, char *ro, char *gone, int (*code42)(void))
{
	int faults[6], fine[4];

	faults[0] = try_read(none + 12345);
	faults[1] = try_write(none + 4096);
	faults[2] = try_write(ro + 8191);
	faults[3] = try_read(gone + 77);
	faults[4] = try_write((char *)8);
	faults[5] = try_read(ro + 8191);
	fine[0] = t_intact(ro, BYTES);
	mprotect(none, BYTES, PROT_READ);
	fine[1] = t_intact(none, BYTES);
	fine[2] = try_write(none + 9);
	fine[3] = code42();
	t_exec_say("faults %d %d %d %d %d %d, then %d %d %d %d", faults[0],
		   faults[1], faults[2], faults[3], faults[4], faults[5],
		   fine[0], fine[1], fine[2], fine[3]);
}

int main(void)
{
	static const unsigned char mov_42[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO };
	char *none, *ro, *gone, *code42;
	pid_t pid;

	t_start(64);
	none = t_anon(BYTES);
	ro = t_anon(BYTES);
	gone = t_anon(BYTES);
	code42 = t_anon(BYTES);
	memcpy(code42 + (3 << 20), mov_42, sizeof(mov_42));
	CHECK(!mprotect(none, BYTES, PROT_NONE));
	CHECK(!mprotect(ro, BYTES, PROT_READ));
	CHECK(!mprotect(code42, BYTES, PROT_READ | PROT_EXEC));
	CHECK(!munmap(gone, BYTES));
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	t_signals_again();
	for (int i = 0; i < 2; i++) {
		pid = t_fork();
		if (pid == 0)
			child(none, ro, gone,
			      (int (*)(void))(code42 + (3 << 20)));
		t_reap(pid, "child");
		CHECK(try_read(none) == SEGV_ACCERR);
		CHECK(try_write(ro) == SEGV_ACCERR);
		CHECK(t_intact(ro, BYTES));
	}
	pid = t_fork();
	if (pid == 0)
		quiet(none, ro, (int (*)(void))(code42 + (3 << 20)));
	t_reap(pid, "quiet child");
	CHECK(t_intact(ro, BYTES));
	/* without a handler the child dies of it, as it always did */
	pid = t_fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		none[0] = 1;
		t_exec_exit(1);
	}
	t_reap(pid, "no handler");
	CHECK(!munmap(none, BYTES) && !munmap(ro, BYTES) &&
	      !munmap(code42, BYTES));
	return t_end();
}
