/*
 * All forms of exec and their failures in the child: PATH search over
 * missing and forbidden files, a script without #!, one with, fexecve,
 * execveat, execle, from a thread of the child; failed ones followed by
 * _exit, by another exec, by a message on standard error.
 *
 * Test: -l -f
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void file(const char *name, const char *text, int mode)
{
	int fd = open(name, O_WRONLY | O_CREAT, mode);

	CHECK(fd >= 0 &&
	      write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(!fchmod(fd, mode) && !close(fd));
}

static void *exec_thread(void *arg)
{
	(void)arg;
	t_exec_exit(14);
}

static void exec_after_200_misses(char **args)
{
	char path[64];
	int n = 0;

	for (int k = 0; k < 200; k++) {
		snprintf(path, sizeof(path), "/none-%d/x", k);
		n += execv(path, args) == -1 && errno == ENOENT;
	}
	if (n == 200)
		execv(t_report, args);
}

/* What libc's forms say where they fail. */
static void act_in_vain(int i)
{
	char *args[] = { "report", "exit", "11", NULL };

	switch (i) {
	case 11:
		execl("/nowhere/prog", "prog", (char *)NULL);
		fprintf(stderr, "prog: %s\n", strerror(errno));
		_exit(127);
	case 12:
		execl("/nowhere/prog", "prog", (char *)NULL);
		perror("first");
		execv(t_report, args);
		break;
	case 13:
		execl("./broken", "x", (char *)NULL);
		_exit(errno == ENOENT ? 13 : 1);
	case 14:
		execl("./notelf", "x", (char *)NULL);
		_exit(errno);
	case 15:
		execl("/", "x", (char *)NULL);
		_exit(errno);
	}
}

static void act(int i)
{
	char *args[] = { "report", "exit", "11", NULL };
	char *env[] = { "T_ONLY=this", NULL };
	pthread_t thread;
	int fd;

	switch (i) {
	case 0:
		execvp("tool", (char *[]){ "tool", "a", NULL });
		break;
	case 1:
		execlp("none-such", "x", (char *)NULL);
		_exit(errno == ENOENT ? 127 : 1);
	case 2:
		execlp("forbidden", "x", (char *)NULL);
		_exit(errno == EACCES ? 126 : 1);
	case 3:
		execlp("noshebang", "x", "y z", (char *)NULL);
		break;
	case 4:
		execl("./noshebang", "x", (char *)NULL);
		_exit(errno == ENOEXEC ? 12 : 1);
	case 5:
		execl("./shebang", "x", "1", (char *)NULL);
		break;
	case 6:
		fd = open(t_report, O_RDONLY | O_CLOEXEC);
		fexecve(fd, args, env);
		break;
	case 7:
		fd = open(t_report, O_PATH);
		syscall(SYS_execveat, fd, "", args, env, AT_EMPTY_PATH);
		break;
	case 8:
		execle(t_report, "report", "env", (char *)NULL, env);
		break;
	case 9:
		pthread_create(&thread, NULL, exec_thread, NULL);
		pthread_join(thread, NULL);
		break;
	case 10:
		exec_after_200_misses(args);
		break;
	case 11 ... 15:
		act_in_vain(i);
		break;
	case 16:
		syscall(SYS_execve, t_report, NULL, NULL); /* no argv[0] */
		break;
	case 17:
		unsetenv("PATH");
		execlp("echo", "echo", "by the default path", (char *)NULL);
		break;
	default:
		execl("/bin/sh", "sh", "-c", "echo sh $0 $#; exit 9", "a", "b",
		      (char *)NULL);
	}
	_exit(99);
}

int main(void)
{
	char path[8192];

	file("noshebang", "echo no shebang \"$#\" \"$1\"; exit 21\n", 0755);
	file("shebang", "#!/bin/sh\necho shebang $1; exit 22\n", 0755);
	file("forbidden", "#!/bin/sh\n", 0644);
	file("broken", "#!/no/such/interpreter\n", 0755);
	file("notelf", "\177ELF\1\2\3garbage garbage garbage garbage garbage",
	     0755);
	CHECK(!mkdir("d1", 0755) && !mkdir("d2", 0755) && !mkdir("d3", 0755));
	file("d2/tool", "not to be run", 0644);
	file("d3/tool", "#!/bin/sh\necho tool of d3; exit 23\n", 0755);
	snprintf(path, sizeof(path), "d1:/nowhere:d2:d3:.:%s", getenv("PATH"));
	setenv("PATH", path, 1);
	t_start(64);
	for (int i = 0; i < 19; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			t_area[i << 16] = 1;
			act(i);
		}
		printf("%d ", i);
		t_reap(pid, "child");
	}
	return t_end();
}
