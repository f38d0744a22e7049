/*
 * SIGSTOP, SIGCONT and SIGKILL to the child by another thread (which knows
 * it from shared memory) and by itself while it has not exec'ed yet, and to
 * the parent by its child: statuses and what happens next are those of a
 * plain fork, and nobody waits for ever.
 *
 * Test: -f
 * Test: -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-stop-cont-kill
 */
#include "t.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct page {
	volatile pid_t pid;
	volatile int go, stopped;
} * shared;

static volatile int how;

/* Acts on the child while the forking thread may still be in fork. */
static void *actor(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000 && !shared->pid; i++)
		t_sleep_ms(1);
	t_sleep_ms(5);
	if (how == 0) {
		kill(shared->pid, SIGKILL);
	} else if (how == 1) {
		kill(shared->pid, SIGSTOP);
		t_sleep_ms(400); /* longer than any budget */
		shared->go = 1;
		kill(shared->pid, SIGCONT);
	} else if (how == 2) {
		kill(shared->pid, SIGTERM);
	} else {
		for (int k = 0; k < 50; k++) {
			kill(shared->pid, SIGSTOP);
			t_sleep_ms(1);
			kill(shared->pid, SIGCONT);
		}
		shared->go = 1;
	}
	return NULL;
}

static void by_thread(void)
{
	static const char *const names[] = { "killed", "stopped and continued",
					     "terminated", "stopped often" };

	for (how = 0; how < 4; how++) {
		pthread_t thread;
		pid_t pid;

		memset((void *)shared, 0, sizeof(*shared));
		CHECK(!pthread_create(&thread, NULL, actor, NULL));
		pid = t_fork();
		if (pid == 0) {
			shared->pid = getpid();
			while (!shared->go)
				;
			CHECK(t_intact(t_area, 1 << 20));
			t_exec_exit(8);
		}
		t_reap(pid, names[how]);
		pthread_join(thread, NULL);
		printf("pid was %s\n", shared->pid == pid ? "right" : "WRONG");
	}
}

/* The child stops its parent; a third process continues it. */
static void stop_parent(void)
{
	pid_t me = getpid(), third, pid;

	memset((void *)shared, 0, sizeof(*shared));
	third = t_fork();
	if (third == 0) {
		char path[64], state = 0;

		snprintf(path, sizeof(path), "/proc/%d/stat", me);
		for (int i = 0; i < 20000 && state != 'T'; i++) {
			FILE *f = fopen(path, "r");

			if (f) {
				if (fscanf(f, "%*d %*s %c", &state) != 1)
					state = 0;
				fclose(f);
			}
			usleep(1000);
		}
		shared->stopped = state == 'T';
		kill(me, SIGCONT);
		_exit(0);
	}
	pid = t_fork();
	if (pid == 0) {
		kill(getppid(), SIGSTOP);
		CHECK(t_intact(t_area, 1 << 20));
		t_exec_exit(9);
	}
	t_reap(pid, "stopped its parent");
	t_reap(third, "continues it");
	printf("was stopped %d\n", shared->stopped);
}

static void by_itself(void)
{
	static const int sigs[] = { SIGKILL, SIGSTOP, SIGTSTP, SIGHUP };

	for (int i = 0; i < 4; i++) {
		int status;
		pid_t pid = t_fork();

		if (pid == 0) {
			setpgid(0, 0);
			t_area[8192] = 3;
			kill(getpid(), sigs[i]);
			t_exec_exit(10 + i);
		}
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		printf("itself %d: ", i);
		if (!WIFSTOPPED(status)) {
			printf("status %x\n", status);
			continue;
		}
		kill(pid, SIGCONT);
		t_reap(pid, "went on");
	}
}

int main(void)
{
	t_start(64);
	shared = t_shared(4096);
	by_itself();
	by_thread();
	stop_parent();
	return t_end();
}
