/*
 * Credentials changed by the child before exec are the child's alone: the
 * parent keeps its ids and its dumpable flag, and the child goes on reading
 * absent memory afterwards. Needs root.
 *
 * Test: -l
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-child-setuid
 */
#include "t.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *sleeper(void *arg)
{
	(void)arg;
	t_sleep_ms(300);
	return NULL;
}

static void change_ids(int how)
{
	gid_t groups[] = { 100, 65534 };
	pid_t pid = t_fork();
	if (pid == 0) {
		int good, fd;

		CHECK(!setgroups(2, groups));
		if (how == 0)
			CHECK(!setgid(65534) && !setuid(65534));
		else if (how == 1)
			CHECK(!setresgid(1, 2, 3) &&
			      !setresuid(1, 2, 3));
		else
			CHECK(!setegid(5) && !seteuid(5));
		good = t_intact(t_area, 8 << 20);
		good += 2 * t_intact(t_block(99), T_BLOCK);
		/* a file only root may read */
		fd = open("/etc/shadow", O_RDONLY);
		good += 4 * (fd < 0);
		good += 8 * (prctl(PR_GET_DUMPABLE) == 1);
		good += 16 * (getuid() == 0);
		execl(t_report, "report", "say",
		      good == 7	 ? "7" :
		      good == 23 ? "23" :
				   "other",
		      (char *)NULL);
		_exit(good);
	}
	t_reap(pid, "child");
	printf("parent: uid %d gid %d, dumpable %d\n", geteuid(),
	       getegid(), prctl(PR_GET_DUMPABLE));
}

int main(void)
{
	pthread_t thread;
	pid_t pid;

	if (getuid() != 0)
		t_skip("not root");
	t_start(64);
	CHECK(!pthread_create(&thread, NULL, sleeper, NULL));
	for (int how = 0; how < 3; how++)
		change_ids(how);
	/* a parent that is not dumpable itself */
	CHECK(!prctl(PR_SET_DUMPABLE, 0));
	pid = t_fork();
	if (pid == 0) {
		int good = t_intact(t_area, 8 << 20);

		t_exec_exit(prctl(PR_GET_DUMPABLE) + 10 * good);
	}
	t_reap(pid, "of a parent not dumpable");
	printf("still %d\n", prctl(PR_GET_DUMPABLE));
	CHECK(!prctl(PR_SET_DUMPABLE, 1));
	/* dropped by the parent before the fork */
	pthread_join(thread, NULL);
	CHECK(!setegid(65534) && !seteuid(65534));
	pid = t_fork();
	if (pid == 0) {
		int good = t_intact(t_area, 8 << 20);

		if (setuid(0) == 0)
			good += 2;
		t_exec_exit(good);
	}
	t_reap(pid, "of an effective user");
	CHECK(!seteuid(0) && !setegid(0));
	return t_end();
}
