/*
 * setsid, setpgid and the child's ids before exec: getpid, gettid, the pid
 * in a pipe, in shared memory and in /proc/self, and the one fork returned
 * are one; the exec'ed program still has it; its parent is us; both sides
 * call setpgid as shells do.
 *
 * Test: -l -f
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ids {
	pid_t get, raw, tid, parent, group, session, proc;
	int relock;
};

static struct ids *shared;

static void fill(struct ids *p)
{
	char link[32] = "";
	pthread_mutex_t m;
	pthread_mutexattr_t attr;

	p->get = getpid();
	p->raw = syscall(SYS_getpid);
	p->tid = gettid();
	p->parent = getppid();
	p->group = getpgrp();
	p->session = getsid(0);
	p->proc = readlink("/proc/self", link, 31) > 0 ? atoi(link) : 0;
	/* libc's own idea of who we are */
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&m, &attr);
	pthread_mutex_lock(&m);
	p->relock = pthread_mutex_lock(&m) == EDEADLK &&
		    !pthread_mutex_unlock(&m) && m.__data.__owner == 0;
}

static void judge(const char *what, pid_t pid, const struct ids *p)
{
	printf("%s: %d%d%d%d %d relock %d group %s session %s\n", what,
	       p->get == pid, p->raw == pid, p->tid == pid, p->proc == pid,
	       p->parent == getpid(), p->relock,
	       p->group == pid	     ? "own" :
	       p->group == getpgrp() ? "ours" :
				       "?",
	       p->session == pid       ? "own" :
	       p->session == getsid(0) ? "ours" :
					 "?");
}

int main(void)
{
	t_start(64);
	shared = t_shared(4096);
	for (int how = 0; how < 8; how++) {
		struct ids got;
		int p[2], q[2];
		pid_t pid;

		CHECK(!pipe(p) && !pipe(q));
		pid = t_fork();
		if (pid == 0) {
			if (how & 1)
				CHECK(!setpgid(0, 0));
			if (how & 2)
				(void)!setsid();
			if (how & 4) {
				struct ids mine;

				fill(&mine);
				CHECK(write(q[1], &mine, sizeof(mine)) ==
				      sizeof(mine));
			} else {
				fill(shared);
			}
			dup2(p[0], 0);
			execl(t_report, "report", "stdin", (char *)NULL);
			_exit(1);
		}
		if (how & 1)
			CHECK(!setpgid(pid, pid) || errno == EACCES ||
			      errno == EPERM);
		if (how & 4)
			CHECK(read(q[0], &got, sizeof(got)) == sizeof(got));
		else
			got = *shared;
		/* the program waits on its standard input: it is there */
		printf("alive as child: %d\n", getpgid(pid) > 0);
		CHECK(write(p[1], "go", 2) == 2);
		t_reap(pid, "program");
		if (!(how & 4))
			got = *shared;
		judge(how & 4 ? "by pipe" : "by memory", pid, &got);
		close(p[0]);
		close(p[1]);
		close(q[0]);
		close(q[1]);
	}
	return t_end();
}
