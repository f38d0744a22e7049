/*
 * pthread_atfork handlers run exactly once per fork, prepare in reverse
 * order, the others in order, whether the child execs, ends, fails to exec
 * or blocks; they may take locks, allocate, fork themselves, and give system
 * calls what is no memory. What child handlers do to shared memory is done
 * once. _Fork runs none.
 *
 * Test: -l
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char trail[512];
static volatile int *in_child;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int forks_inside, inside;
static void *block;

static void add(const char *c)
{
	strcat(trail, c);
}

/* By syscall(): libc's own sigprocmask() looks into the set itself. */
static void ask_for_masks(void)
{
	static const unsigned long set = 1UL << (SIGUSR1 - 1);
	unsigned long now = 0;
	void *nowhere = (void *)8, *constant = (void *)&set;

	CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, nowhere, NULL, 8) == -1 &&
	      errno == EFAULT);
	CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, constant, 8) == -1 &&
	      errno == EFAULT);
	CHECK(!syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, &now, 8));
	CHECK(now & set);
}

static void prepare1(void)
{
	add("1");
	ask_for_masks();
	pthread_mutex_lock(&lock);
}
static void parent1(void)
{
	ask_for_masks();
	pthread_mutex_unlock(&lock);
	add("a");
}
static void prepare2(void)
{
	add("2");
}
static void parent2(void)
{
	add("b");
}

static void child1(void)
{
	ask_for_masks();
	pthread_mutex_unlock(&lock);
	add("A");
	in_child[0]++;
}

static void child2(void)
{
	add("B");
	in_child[1]++;
	free(block);
	block = malloc(3 << 20);
	memset(block, 1, 3 << 20);
}

static void prepare3(void)
{
	int status;
	pid_t pid;

	add("3");
	if (!forks_inside || inside)
		return;
	inside = 1;
	pid = fork();
	if (pid == 0) {
		if (forks_inside == 1)
			t_exec_exit(4);
		_exit(4);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	add(WEXITSTATUS(status) == 4 ? "!" : "?");
	inside = 0;
}

static void run(const char *what, int how)
{
	int p[2];
	pid_t pid;

	trail[0] = 0;
	in_child[0] = in_child[1] = 0;
	CHECK(!pipe(p));
	pid = how == 4 ? _Fork() : t_fork();
	if (pid == 0) {
		char c;

		if (how == 1)
			_exit(strlen(trail));
		if (how == 2) {
			execl("/nowhere", "x", (char *)NULL);
			_exit(strlen(trail));
		}
		if (how == 3)
			CHECK(read(p[0], &c, 1) == 1);
		t_exec_say("%s: child %s", what, trail);
	}
	CHECK(write(p[1], "x", 1) == 1);
	t_reap(pid, what);
	printf("%s: parent %s, child handlers %d %d\n", what, trail,
	       in_child[0], in_child[1]);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	t_start(64);
	in_child = t_shared(4096);
	block = malloc(5 << 20);
	CHECK(!pthread_atfork(prepare1, parent1, child1));
	CHECK(!pthread_atfork(prepare2, parent2, child2));
	CHECK(!pthread_atfork(prepare3, NULL, NULL));
	run("exec", 0);
	run("end", 1);
	run("failed exec", 2);
	run("blocks", 3);
	run("_Fork", 4);
	forks_inside = 1;
	run("fork inside", 0);
	run("fork inside, end", 1);
	forks_inside = 2;
	run("end inside", 0);
	return t_end();
}
