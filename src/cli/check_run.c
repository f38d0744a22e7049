/* One run of the command that is checked: its place, its process, its time. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/check.h"
#include "cli/cli.h"
#include "cli/lines.h"
#include "tell/options.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static bool copy_folder(const char *from, const char *to)
{
	char below[PATH_MAX];
	pid_t pid;

	snprintf(below, sizeof(below), "%s/.", from);
	pid = fork();
	if (!pid) {
		execlp("cp", "cp", "-a", "--reflink=auto", "--", below, to,
		       (char *)NULL);
		_exit(CLI_NOT_FOUND);
	}
	return pid > 0 && wait_for(pid) == 0;
}

static void redirect(int fd, const char *where, const char *what, int flags)
{
	char path[PATH_MAX + 8];
	int file;

	snprintf(path, sizeof(path), "%s%s", where, what);
	file = open(path, flags, 0600);
	if (file < 0 || dup2(file, fd) < 0)
		_exit(CLI_FAILED);
	if (file != fd)
		close(file);
}

/* False with errno. */
static bool prepare(const struct check *check, const struct check_run *run)
{
	char work[PATH_MAX], stats[PATH_MAX + 8];
	const struct check_way *way = run->way;

	for (size_t i = 0; i < FF_OPTION_COUNT; i++)
		if (strcmp(ff_option_table[i].env, "FLATFORK_CONFIG") != 0)
			unsetenv(ff_option_table[i].env);
	snprintf(work, sizeof(work), "%s/work", check->top);
	snprintf(stats, sizeof(stats), "%s.stats", run->where);
	/* What it does to its process group, or to its terminal, is not for
	 * us, and not for whoever called us. */
	setsid();
	return !chdir(work) && !setenv("PWD", work, 1) && !unsetenv("OLDPWD") &&
	       (!way->fork || !setenv("FLATFORK_FORK", way->fork, 1)) &&
	       (!way->off || !setenv("FLATFORK", "off", 1)) &&
	       (!way->preload ||
		(!setenv("FLATFORK_STATS", stats, 1) && cli_preload("check")));
}

/* The command's process. What keeps it from being that goes to @tell. */
static void become(const struct check *check, const struct check_run *run,
		   int tell)
{
	int error;

	if (prepare(check, run)) {
		redirect(0, "/dev/null", "", O_RDONLY);
		redirect(1, run->where, ".out", O_WRONLY | O_CREAT | O_APPEND);
		redirect(2, run->where, ".err", O_WRONLY | O_CREAT | O_APPEND);
		execvp(*check->command, check->command);
	}
	error = errno;
	_exit(write(tell, &error, sizeof(error)) < 0);
}

/* Waits for @pid, which is killed when its time is up, if it has any, or ours
 * is. */
static int wait_with_patience(pid_t pid, double deadline)
{
	const struct timespec nap = { 0, 2L * 1000 * 1000 };
	bool killed = false;
	int status = -1;

	while (waitpid(pid, &status, killed ? 0 : WNOHANG) == 0) {
		if (!check_was_stopped() &&
		    (deadline <= 0 || now() < deadline)) {
			nanosleep(&nap, NULL);
			continue;
		}
		kill(pid, SIGKILL);
		killed = true;
	}
	return status;
}

static void count_forks(struct check_run *run)
{
	static const char *const names[] = { "forks_lazy", "forks_lent",
					     "spawns", "vforks", "forks_real" };
	enum {
		NAMES = sizeof(names) / sizeof(names[0])
	};
	char path[PATH_MAX + 8];
	long long sums[NAMES];

	snprintf(path, sizeof(path), "%s.stats", run->where);
	cli_line_sums(path, names, NAMES, sums);
	for (size_t i = 0; i < NAMES; i++) {
		run->forks += (unsigned long)sums[i];
		run->lazy += i < 4 ? (unsigned long)sums[i] : 0;
	}
}

/* 0, or an exit status after a complaint. */
static int start(struct check *check, const struct check_run *run,
		 pid_t *ret_pid)
{
	int ends[2], error = 0;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) || (*ret_pid = fork()) < 0) {
		cli_complain("check", "%s", strerror(errno));
		return CLI_FAILED;
	}
	if (!*ret_pid)
		become(check, run, ends[1]);
	close(ends[1]);
	do
		n = read(ends[0], &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	close(ends[0]);
	if (n <= 0)
		return 0;
	cli_complain("check", "'%s': %s", *check->command, strerror(error));
	return error == ENOENT ? CLI_NOT_FOUND : CLI_CANNOT_RUN;
}

int check_run_once(struct check *check, struct check_run *run)
{
	char work[PATH_MAX], kept[PATH_MAX + 8];
	double began = now();
	pid_t pid;
	int status;

	snprintf(work, sizeof(work), "%s/work", check->top);
	snprintf(kept, sizeof(kept), "%s.work", run->where);
	if (mkdir(work, 0700) ||
	    (check->from && !copy_folder(check->from, work))) {
		cli_complain("check", "%s: can't be copied to %s",
			     check->from ? check->from : "", work);
		return CLI_FAILED;
	}
	began = now();
	status = start(check, run, &pid);
	if (status)
		return status;
	run->status = wait_with_patience(
		pid, check->patience > 0 ? began + check->patience : 0);
	run->seconds = now() - began;
	run->left = check_leftovers(run->left_names, sizeof(run->left_names));
	if (rename(work, kept) || !check_folder_read(kept, &run->files)) {
		cli_complain("check", "%s: %s", kept, strerror(errno));
		return CLI_FAILED;
	}
	count_forks(run);
	return 0;
}
