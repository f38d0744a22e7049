/*
 * Other threads live on SIGSEGV handlers (write barriers with mprotect) and
 * on SIGSYS, SIGTRAP and SIGUSR1 ones while one forks: every fault reaches
 * the program's handler with its address, none is lost, and the action the
 * program reads back is always its own. Argument sys: SIGSYS is handled.
 *
 * Test: -l
 * Test: sys-handlers-of-threads sys
 */
#include "t.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	THREADS = 3,
	PAGE = 4096,
	FORKS = 60
};

static volatile int done;
static char *barrier[THREADS];
static _Thread_local volatile int faults, sys;
static int wrong, odd_action, uses_sys;
static long total_faults, total_writes;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	char *page = (char *)((uintptr_t)info->si_addr & ~(PAGE - 1ul));

	(void)sig;
	(void)context;
	faults++;
	if (info->si_code != SEGV_ACCERR ||
	    mprotect(page, PAGE, PROT_READ | PROT_WRITE))
		_exit(90);
}

static void on_sys(int sig)
{
	(void)sig;
	sys++;
}

static void *thread(void *arg)
{
	char *area = barrier[(long)arg];
	long writes = 0;

	while (!done) {
		struct sigaction sa;
		int before = faults, sys_before = sys;
		int i = writes % 256;

		CHECK(!mprotect(area + i * PAGE, PAGE, PROT_READ));
		area[i * PAGE + 5]++;
		writes++;
		if (faults != before + 1)
			__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
		if (uses_sys) {
			syscall(SYS_tgkill, getpid(), gettid(), SIGSYS);
			if (sys != sys_before + 1)
				__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
		}
		sigaction(SIGSYS, NULL, &sa);
		if (sa.sa_handler != (uses_sys ? on_sys : SIG_DFL))
			__atomic_add_fetch(&odd_action, 1, __ATOMIC_SEQ_CST);
		sigaction(SIGSEGV, NULL, &sa);
		if (sa.sa_sigaction != on_segv)
			__atomic_add_fetch(&odd_action, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_add_fetch(&total_faults, faults, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&total_writes, writes, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = on_segv,
				.sa_flags = SA_SIGINFO };
	pthread_t t[THREADS];
	int bad = 0;

	(void)argv;
	uses_sys = argc > 1;
	t_start(64);
	sigaction(SIGSEGV, &sa, NULL);
	if (uses_sys)
		signal(SIGSYS, on_sys);
	t_signals_again();
	for (long i = 0; i < THREADS; i++) {
		barrier[i] = t_anon(256 * PAGE);
		CHECK(!pthread_create(&t[i], NULL, thread, (void *)i));
	}
	for (int i = 0; i < FORKS; i++) {
		int status;
		pid_t pid = t_fork();

		if (pid == 0) {
			/* half of the children fault themselves */
			char *mine = barrier[i % THREADS];
			int before = faults;

			if (i % 2)
				t_exec_exit(t_intact(t_area, 65536));
			mprotect(mine, PAGE, PROT_READ);
			mine[9] = 1;
			t_exec_exit(t_intact(t_area, 65536) ? faults - before :
							      80);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		bad += !WIFEXITED(status) || WEXITSTATUS(status) != 1;
	}
	done = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("bad children %d, wrong faults %d, odd actions %d, %s\n", bad,
	       wrong, odd_action,
	       total_faults == total_writes ? "all counted" : "SOME LOST");
	for (int i = 0; i < THREADS; i++)
		munmap(barrier[i], 256 * PAGE);
	return t_end();
}
