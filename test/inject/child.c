/* See child.h. */
#include "child.h"
#include "inject.h"
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	FD_TOLD = 30, /* the child tells that it runs: 30 and 31 */
	FD_GO = 32,   /* and is told to go on: 32 and 33 */
};

#define AREA_BYTES ((size_t)2 << 20)
#define AREA_WORDS (AREA_BYTES / sizeof(uint64_t))

static uint64_t *area;
static _Atomic int *go; /* shared */
static char *const argv[] = { "name", "intact", NULL };
static char *const envp[] = { "A=1", NULL };

static uint64_t word_at(size_t i)
{
	return i * 0x9e3779b97f4a7c15u + 1;
}

static void put_pipe(int at)
{
	int fds[2];

	MUST(!pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	MUST(dup3(fds[0], at, O_CLOEXEC) == at);
	MUST(dup3(fds[1], at + 1, O_CLOEXEC) == at + 1);
	close(fds[0]);
	close(fds[1]);
}

void forks_prepare(void)
{
	size_t i;

	area = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	go = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(area != MAP_FAILED && go != MAP_FAILED);
	for (i = 0; i < AREA_WORDS; i++)
		area[i] = word_at(i);
}

bool forks_intact(void)
{
	size_t i;

	for (i = 0; i < AREA_WORDS; i++)
		if (area[i] != word_at(i))
			return false;
	return true;
}

unsigned forks_drain(void)
{
	struct pollfd p = { .fd = FD_GO, .events = POLLIN };
	unsigned n = 0;
	char c;

	while (read(FD_TOLD, &c, 1) == 1)
		n++;
	while (poll(&p, 1, 0) == 1 && read(FD_GO, &c, 1) == 1)
		;
	atomic_store(go, 0);
	return n;
}

bool forks_pipes(void)
{
	put_pipe(FD_TOLD);
	put_pipe(FD_GO);
	MUST(!fcntl(FD_GO, F_SETFL, 0)); /* the child waits */
	return true;
}

void forks_let_read(void)
{
	MUST(write(FD_GO + 1, "g", 1) == 1);
}

void forks_let_spin(void)
{
	atomic_store(go, 1);
}

/* ---- in the child ---- */

void child_own(long rc)
{
	if (rc < 0)
		_exit(errno == inject->error ? CHILD_REFUSED : CHILD_WRONG);
}

/* A few of the pages that it may have to fetch. */
void child_look_here_and_there(void)
{
	static const size_t where[] = { 0, AREA_WORDS / 3, AREA_WORDS - 1 };
	size_t i;

	for (i = 0; i < sizeof(where) / sizeof(*where); i++)
		if (((volatile uint64_t *)area)[where[i]] != word_at(where[i]))
			_exit(CHILD_TORN);
}

/* What libc says, wherever it is. */
void child_look_at_cpus(void)
{
	cpu_set_t all, one;
	int cpu;

	child_own(sched_getaffinity(0, sizeof(all), &all));
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		child_own(sched_setaffinity(0, sizeof(one), &one));
		if (sched_getcpu() != cpu)
			_exit(CHILD_TORN);
	}
	child_own(sched_setaffinity(0, sizeof(all), &all));
}

void child_look_everywhere(void)
{
	if (!forks_intact())
		_exit(CHILD_TORN);
}

_Noreturn void child_start(const char *path)
{
	child_own(execve(path, argv, envp));
	_exit(CHILD_WRONG);
}

void child_change_itself(void)
{
	sigset_t none;
	void *at;

	child_look_here_and_there();
	child_own(dup2(FD_FILE, 5));
	child_own(close(FD_HIGH));
	sigemptyset(&none);
	child_own(sigprocmask(SIG_SETMASK, &none, NULL));
	child_own(signal(SIGUSR1, SIG_IGN) == SIG_ERR ? -1 : 0);
	at = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	child_own(at == MAP_FAILED ? -1 : 0);
	memset(at, 1, 1 << 16);
	child_own(munmap(at, 1 << 16));
	child_own(mprotect(area, 1 << 16, PROT_READ));
}

void child_wait_for_go(void)
{
	char c;

	child_own(read(FD_GO, &c, 1));
}

void child_let_itself_read(void)
{
	child_own(write(FD_GO + 1, "g", 1));
}

void child_spin(void)
{
	while (!atomic_load(go))
		;
}

void child_scribble(void)
{
	area[0] = area[AREA_WORDS / 2] = 0;
}

void child_say(void)
{
	child_own(write(FD_TOLD + 1, "c", 1));
}

pid_t forks_whole(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(forks_intact() ? CHILD_WHOLE : CHILD_TORN);
	return pid;
}

static void *sleep_on(void *arg)
{
	for (;;)
		pause();
	return arg;
}

bool forks_thread(void)
{
	pthread_t thread;
	sigset_t all, old;

	forks_pipes();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	MUST(!pthread_create(&thread, NULL, sleep_on, NULL));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return true;
}
