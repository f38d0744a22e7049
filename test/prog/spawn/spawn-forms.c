/*
 * posix_spawn and its family as a program sees them: what the child gets,
 * what goes wrong and how it is said, objects that were set up in every way.
 *
 * Test:
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

extern char **environ;

static void finish(const char *what, int error, pid_t pid)
{
	int status = 0;

	if (!error)
		CHECK(waitpid(pid, &status, 0) == pid);
	printf("%s: error %d status %#x\n", what, error, (unsigned)status);
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

static void spawn(const char *what, const char *path,
		  const posix_spawn_file_actions_t *actions,
		  const posix_spawnattr_t *attr, const char *script)
{
	char *argv[] = { "sh", "-c", (char *)script, NULL };
	pid_t pid = -5;
	int error = posix_spawn(&pid, path, actions, attr, argv, environ);

	CHECK(error == 0 || pid == -5);
	finish(what, error, pid);
}

static void spawnp(const char *what, const char *file, const char *path)
{
	char *argv[] = { "name", NULL };
	pid_t pid = -5;
	int error;

	if (path)
		setenv("PATH", path, 1);
	error = posix_spawnp(&pid, file, NULL, NULL, argv, environ);
	setenv("PATH", "/usr/bin:/bin", 1);
	finish(what, error, pid);
}

static void files(void)
{
	posix_spawn_file_actions_t actions;

	CHECK(posix_spawn_file_actions_init(&actions) == 0);
	posix_spawn_file_actions_addopen(&actions, 7, "/etc/passwd", O_RDONLY,
					 0);
	posix_spawn_file_actions_adddup2(&actions, 7, 8);
	posix_spawn_file_actions_addclose(&actions, 7);
	posix_spawn_file_actions_adddup2(&actions, 8, 8);
	posix_spawn_file_actions_addchdir_np(&actions, "/usr/bin");
	posix_spawn_file_actions_addclosefrom_np(&actions, 9);
	spawn("files", "/bin/sh", &actions, NULL,
	      "pwd; for i in 7 8 9 10; do [ -e /dev/fd/$i ] && echo $i; done;"
	      "exit 3");
	posix_spawn_file_actions_addclose(&actions, 500);
	posix_spawn_file_actions_addfchdir_np(&actions, 500);
	spawn("closed directory", "/bin/sh", &actions, NULL, "exit 3");
	CHECK(posix_spawn_file_actions_destroy(&actions) == 0);
}

static void bad_numbers(void)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	printf("%d %d %d %d %d\n",
	       posix_spawn_file_actions_addclose(&actions, -1),
	       posix_spawn_file_actions_addclose(&actions, 1 << 30),
	       posix_spawn_file_actions_adddup2(&actions, 0, -1),
	       posix_spawn_file_actions_addopen(&actions, -1, "/", 0, 0),
	       posix_spawn_file_actions_addclosefrom_np(&actions, -1));
	spawn("nothing was added", "/bin/sh", &actions, NULL, "exit 0");
	posix_spawn_file_actions_addfchdir_np(&actions, -1);
	spawn("no directory", "/bin/sh", &actions, NULL, "exit 0");
	posix_spawn_file_actions_destroy(&actions);
}

static void objects_of_zeros(void)
{
	static posix_spawn_file_actions_t actions;
	static posix_spawnattr_t attr;

	spawn("never initialised", "/bin/sh", &actions, &attr, "exit 4");
	posix_spawn_file_actions_addopen(&actions, 5, "/dev/null", O_RDWR, 0);
	spawn("first action", "/bin/sh", &actions, &attr,
	      "[ -e /dev/fd/5 ] && exit 5");
	posix_spawn_file_actions_destroy(&actions);
}

/* Actions that libc itself has put into an object stay libc's. */
static void objects_of_libc(void)
{
	int (*add)(posix_spawn_file_actions_t *, int, const char *, int,
		   mode_t);
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	posix_spawn_file_actions_t actions;

	CHECK(libc);
	*(void **)&add = dlsym(libc, "posix_spawn_file_actions_addopen");
	CHECK(add);
	memset(&actions, 0, sizeof(actions));
	CHECK(add(&actions, 5, "/dev/null", O_RDWR, 0) == 0);
	posix_spawn_file_actions_adddup2(&actions, 5, 6);
	spawn("made by libc", "/bin/sh", &actions, NULL,
	      "[ -e /dev/fd/5 ] && [ -e /dev/fd/6 ] && exit 6");
	CHECK(posix_spawn_file_actions_destroy(&actions) == 0);
	dlclose(libc);
}

static void attributes(void)
{
	char *argv[] = { "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status",
			 NULL };
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid;
	int error;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	posix_spawnattr_init(&attr);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	posix_spawnattr_setsigdefault(&attr, &set);
	sigaddset(&set, SIGWINCH);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawnattr_setpgroup(&attr, 0);
	printf("flags %d %d\n",
	       posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
						       POSIX_SPAWN_SETSIGMASK |
						       POSIX_SPAWN_SETPGROUP),
	       posix_spawnattr_setflags(&attr, 0x4000));
	spawn("attributes", "/bin/grep", NULL, &attr, "x");
	error = posix_spawn(&pid, "/bin/grep", NULL, &attr, argv, environ);
	finish("signals", error, pid);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	spawn("session", "/bin/sh", NULL, &attr,
	      "read -r p c s pp pg sid r </proc/$$/stat; [ $sid = $$ ]");
	posix_spawnattr_setpgroup(&attr, 0x3ffffff);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	spawn("no such group", "/bin/sh", NULL, &attr, "exit 0");
	posix_spawnattr_destroy(&attr);
}

static void paths(void)
{
	int fd = open("plain", O_WRONLY | O_CREAT, 0755);

	CHECK(fd >= 0 && write(fd, "exit 9\n", 7) == 7);
	fchmod(fd, 0755);
	spawnp("found", "true", NULL);
	spawnp("busy", "./plain", NULL);
	close(fd);
	spawnp("no interpreter", "./plain", NULL);
	spawnp("no interpreter, searched", "plain", ".:/bin");
	spawnp("not found", "no-such-program", NULL);
	spawnp("not allowed", "passwd", "/etc");
	spawnp("not allowed, then found", "true", "/etc:/dev/null:/bin");
	spawnp("empty", "", NULL);
	spawnp("a directory", "/etc", NULL);
	spawnp("below a file", "/etc/passwd/x", NULL);
	spawn("no such file", "/no/such", NULL, NULL, "");
}

int main(void)
{
	t_start(8);
	files();
	bad_numbers();
	objects_of_zeros();
	objects_of_libc();
	attributes();
	paths();
	t_signals_again();
	return t_end();
}
