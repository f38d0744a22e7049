/*
 * The configuration file is one that only this program lets be opened, as a
 * scanner of files does, and it does not while it forks. Argument: how it makes
 * its first child.
 *
 * Test: -n -e FLATFORK_CONFIG=served.conf config-served-CASE CASE
 */
#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/fanotify.h>
#include <unistd.h>

static int asked;

static void serve(void)
{
	const char text[] = "fork = real\n";
	int fd = open("served.conf", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	asked = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK,
			      O_RDONLY | O_CLOEXEC);
	if (asked < 0 || fanotify_mark(asked, FAN_MARK_ADD, FAN_OPEN_PERM,
				       AT_FDCWD, "served.conf") < 0)
		t_skip("nobody can be asked for files");
}

static void done(pid_t pid)
{
	CHECK(pid > 0);
	t_reap(pid, "child");
	pid = t_fork();
	if (pid == 0)
		t_exec_exit(2);
	t_reap(pid, "another");
	close(asked);
	unlink("served.conf");
}

CASE(fork)
{
	pid_t pid;

	serve();
	pid = fork();
	if (pid == 0)
		t_exec_exit(1);
	done(pid);
}

CASE(vfork)
{
	pid_t pid;

	serve();
	pid = vfork();
	if (pid == 0) {
		execl(t_report, "report", "exit", "1", (char *)NULL);
		_exit(9);
	}
	done(pid);
}

CASE(spawn)
{
	char *argv[] = { "report", "exit", "1", NULL };
	pid_t pid = -1;

	serve();
	errno = posix_spawn(&pid, t_report, NULL, NULL, argv, environ);
	CHECK(errno == 0);
	done(pid);
}

CASES_MAIN
