/* Children of others, killed or stopped at random moments, see soak.h. */
#include "soak.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int some_thread(pid_t of, unsigned *seed)
{
	int tid = of, seen = 0;
	char path[64];
	struct dirent *e;
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%d/task", of);
	all = opendir(path);
	while (all && (e = readdir(all)))
		if (e->d_name[0] != '.' && rand_r(seed) % ++seen == 0)
			tid = atoi(e->d_name);
	if (all)
		closedir(all);
	return tid;
}

/* One of the children of @of, if its first thread or another has any. */
static pid_t find_child(pid_t of, unsigned *seed)
{
	char path[64], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", of,
		 some_thread(of, seed));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

/* It may have been reaped, and its number be somebody else's. */
static bool is_child_of(pid_t pid, pid_t of)
{
	char path[64], text[512], *end;
	int fd, parent = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 && parent == of;
}

void soak_molest(pid_t of, unsigned *seed)
{
	pid_t pid = find_child(of, seed);
	int fd;

	if (pid <= 0)
		return;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return;
	usleep((unsigned)rand_r(seed) % 1500);
	if (is_child_of(pid, of)) {
		if (rand_r(seed) % 3) {
			syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
		} else {
			syscall(SYS_pidfd_send_signal, fd, SIGSTOP, NULL, 0);
			usleep((unsigned)rand_r(seed) % 3000);
			syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
		}
	}
	close(fd);
}
