/*
 * A library between us and libc has some of our names, too, and counts calls:
 * what is lent, spawned, or closed by a child, it sees as without us.
 *
 * Test: -l
 */
#include "t.h"

#include <stdio.h>
#include <unistd.h>

#include "behind.h"

enum {
	ROUNDS = 6
};

static void exec_after_closing(void)
{
	for (int fd = 100; fd < 110; fd++)
		close(fd);
	t_exec_say("%d closed", behind_count[BEHIND_CLOSE]);
}

static void spawn(int round)
{
	char *argv[] = { "report", "say", "spawned", NULL }, *none[] = { NULL };
	pid_t pid;

	CHECK((round % 2 ? posix_spawn : posix_spawnp)(&pid, t_report, NULL,
						       NULL, argv, none) == 0);
	t_reap(pid, "spawned");
}

static void start_by_vfork(void)
{
	pid_t pid = vfork();

	if (!pid)
		t_exec_exit(3);
	t_reap(pid, "vforked");
}

int main(void)
{
	pid_t pid;

	t_start(32);
	for (int i = 0; i < ROUNDS; i++) {
		behind_count[BEHIND_CLOSE] = 0;
		pid = fork();
		if (!pid)
			exec_after_closing();
		t_reap(pid, "forked");
		pid = fork();
		if (!pid)
			_exit(4);
		t_reap(pid, "forked");
		start_by_vfork();
		spawn(i);
	}
	printf("%d forks, %d vforks, %d spawns\n", behind_count[BEHIND_FORK],
	       behind_count[BEHIND_VFORK], behind_count[BEHIND_SPAWN]);
	return t_end();
}
