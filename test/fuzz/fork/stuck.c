#include "stuck.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What @name of a process or thread says, on one line; "" where it can't be
 * read. */
static const char *look(const char *of, const char *name)
{
	static char text[4096];
	char path[512];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", of, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = c[1] ? '|' : '\0';
	return text;
}

struct process {
	char name[32], state;
	int parent, group, session;
};

static bool get(const char *of, struct process *ret)
{
	const char *text = look(of, "stat"), *behind = strrchr(text, ')');

	return behind && sscanf(text, "%*d (%31[^)]", ret->name) == 1 &&
	       sscanf(behind + 1, " %c %d %d %d", &ret->state, &ret->parent,
		      &ret->group, &ret->session) == 4;
}

static void print_thread(const char *of, const struct process *p)
{
	printf("  %s (%s) of %d: %c", of + strlen("/proc/"), p->name, p->parent,
	       p->state);
	printf(", %s", look(of, "wchan"));
	printf(", call %s", look(of, "syscall"));
	printf("\n    %s\n", look(of, "stack"));
}

static void print_process(pid_t pid)
{
	char path[64], of[400];
	struct process p;
	struct dirent *entry;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	while (threads && (entry = readdir(threads))) {
		snprintf(of, sizeof(of), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.' && get(of, &p))
			print_thread(of, &p);
	}
	if (threads)
		closedir(threads);
}

/* Orphans are whose session or group is its; others by their parents. */
static bool is_of(pid_t pid, pid_t worker, int depth)
{
	char of[64];
	struct process p;

	if (pid == worker)
		return true;
	snprintf(of, sizeof(of), "/proc/%d", pid);
	if (pid <= 1 || depth > 8 || !get(of, &p))
		return false;
	return p.group == worker || p.session == worker ||
	       is_of(p.parent, worker, depth + 1);
}

void stuck_print(pid_t worker)
{
	DIR *all = opendir("/proc");
	struct dirent *entry;
	pid_t pid;

	while (all && (entry = readdir(all))) {
		pid = atoi(entry->d_name);
		if (pid > 0 && is_of(pid, worker, 0))
			print_process(pid);
	}
	if (all)
		closedir(all);
}
