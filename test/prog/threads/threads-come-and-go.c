/*
 * Threads come and go while others fork: they end, are cancelled, go deep into
 * their stacks, have stacks of the program's that are unmapped behind them, and
 * take faults on alternate stacks. Children find their memory, and the stack that
 * they were made on, as it was.
 *
 * Test: -l -t 120
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FORKERS = 4,
	MAKERS = 4,
	FORKS = 40, /* of each */
	KINDS = 5,
	FAULTS = 20,
	DEEP = 3 << 20,
	STACK = 2 << 20,
	PAGE = 4096
};

static _Atomic int wrong, running = FORKERS;
static _Thread_local volatile int faults;
static _Thread_local unsigned char *page;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if ((unsigned char *)info->si_addr - page >= PAGE ||
	    mprotect(page, PAGE, PROT_READ | PROT_WRITE))
		_exit(77);
	faults++;
}

static void *goes_deep(void *unused)
{
	volatile unsigned char deep[DEEP];

	memset((void *)deep, 7, DEEP);
	wrong += deep[DEEP / 2] != 7;
	return unused;
}

static void *ends(void *unused)
{
	volatile unsigned char used[3000];

	memset((void *)used, 9, sizeof(used));
	usleep(500);
	wrong += used[17] != 9;
	return unused;
}

static void *is_cancelled(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void *takes_faults(void *unused)
{
	stack_t alternate = { .ss_size = (size_t)SIGSTKSZ };

	alternate.ss_sp = malloc(alternate.ss_size);
	CHECK(alternate.ss_sp && !sigaltstack(&alternate, NULL));
	page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	for (int i = 0; i < FAULTS; i++) {
		CHECK(!mprotect(page, PAGE, PROT_READ));
		page[i] = 1;
		wrong += faults != i + 1;
		usleep(100);
	}
	munmap(page, PAGE);
	alternate.ss_flags = SS_DISABLE;
	CHECK(!sigaltstack(&alternate, NULL));
	free(alternate.ss_sp);
	return unused;
}

static void make_one(unsigned kind)
{
	static void *(*const run[KINDS])(
		void *) = { goes_deep, ends, is_cancelled, takes_faults, ends };
	pthread_attr_t attr;
	pthread_t thread;
	void *own = NULL;

	pthread_attr_init(&attr);
	if (kind == KINDS - 1) {
		own = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(own != MAP_FAILED);
		CHECK(!pthread_attr_setstack(&attr, own, STACK));
	}
	CHECK(!pthread_create(&thread, &attr, run[kind], NULL));
	pthread_attr_destroy(&attr);
	if (run[kind] == is_cancelled)
		CHECK(!pthread_cancel(thread));
	CHECK(!pthread_join(thread, NULL));
	if (own)
		CHECK(!munmap(own, STACK));
}

static void *makes(void *arg)
{
	for (unsigned i = (unsigned)(uintptr_t)arg; running; i++)
		make_one(i % KINDS);
	return NULL;
}

static void *forks(void *arg)
{
	const unsigned char what = (unsigned char)(uintptr_t)arg;
	unsigned char mine[500];
	int status;
	pid_t pid;

	memset(mine, what, sizeof(mine));
	for (size_t i = 0; i < FORKS; i++) {
		pid = t_fork();
		if (pid == 0) {
			bool right = t_intact(t_area + i * PAGE * what, PAGE);

			for (size_t at = 0; at < sizeof(mine); at++)
				right &= mine[at] == what;
			t_exec_exit(right ? 3 : 4);
		}
		while (waitpid(pid, &status, 0) < 0)
			CHECK(errno == EINTR);
		wrong += status != 3 << 8;
	}
	running--;
	return NULL;
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };
	pthread_t thread[FORKERS + MAKERS];

	t_start(64);
	CHECK(!sigaction(SIGSEGV, &sa, NULL));
	t_signals_again();
	for (uintptr_t i = 0; i < FORKERS + MAKERS; i++)
		CHECK(!pthread_create(&thread[i], NULL,
				      i < FORKERS ? forks : makes,
				      (void *)(i + 1)));
	for (int i = 0; i < FORKERS + MAKERS; i++)
		CHECK(!pthread_join(thread[i], NULL));
	printf("%d wrong\n", wrong);
	return t_end();
}
