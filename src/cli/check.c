/*
 * flatfork check -- command: is it the same with flatfork as without it?
 * The command runs in each way in the same place, a copy of the current
 * directory, and output, status, files and processes left over are compared.
 * It runs plain twice: what differs then is not flatfork's doing, and is not
 * compared.
 */
#include "cli/check.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tell/options.h"

#define COPY_MAX ((uint64_t)256 << 20)
#define DIFFERENCE_MAX 512
/* As long as plain ten times, and this: then it hangs. */
#define PATIENCE_S 60

static const struct way {
	const char *name;
	const char *fork; /* FLATFORK_FORK, NULL: not set */
	bool preload, off;
} ways[] = {
	{ "plain", NULL, false, false }, { "again", NULL, false, false },
	{ "lazy", "lazy", true, false }, { "default", NULL, true, false },
	{ "off", NULL, true, true },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* What is compared. */
enum aspect {
	STATUS,
	OUTPUT,
	ERRORS,
	FILES,
	PROCESSES,
	ASPECTS
};

static const char *const aspects[ASPECTS] = {
	"status", "output", "errors", "files", "processes left over",
};

struct run {
	const struct way *way;
	char where[PATH_MAX]; /* its files begin with that */
	int status;	      /* as of wait */
	double seconds;
	unsigned left;
	char left_names[256];
	struct check_folder files;
	unsigned long forks, lazy; /* of forks, spawns and vforks; not copied */
};

struct check {
	char top[PATH_MAX / 2]; /* a folder of ours */
	const char *from;	/* what is copied; NULL: nothing */
	char **command;
	double patience;
	struct run run[WAYS];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t bytes_seen;

static int add_bytes(const char *path, const struct stat *s, int type,
		     struct FTW *where)
{
	(void)path, (void)type, (void)where;
	bytes_seen += S_ISREG(s->st_mode) ? (uint64_t)s->st_size : 0;
	return bytes_seen > COPY_MAX;
}

static int remove_one(const char *path, const struct stat *s, int type,
		      struct FTW *where)
{
	(void)s, (void)type, (void)where;
	return remove(path);
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

/* The command's process. What keeps it from being that goes to @tell. */
static void become(const struct check *check, const struct run *run, int tell)
{
	int error;

	char work[PATH_MAX], stats[PATH_MAX + 8];
	const struct way *way = run->way;

	for (size_t i = 0; i < FF_OPTION_COUNT; i++)
		if (strcmp(ff_option_table[i].env, "FLATFORK_CONFIG") != 0)
			unsetenv(ff_option_table[i].env);
	snprintf(work, sizeof(work), "%s/work", check->top);
	snprintf(stats, sizeof(stats), "%s.stats", run->where);
	if (chdir(work) || setenv("PWD", work, 1) || unsetenv("OLDPWD") ||
	    (way->fork && setenv("FLATFORK_FORK", way->fork, 1)) ||
	    (way->off && setenv("FLATFORK", "off", 1)) ||
	    (way->preload &&
	     (setenv("FLATFORK_STATS", stats, 1) || !cli_preload("check"))))
		_exit(CLI_FAILED);
	redirect(0, "/dev/null", "", O_RDONLY);
	redirect(1, run->where, ".out", O_WRONLY | O_CREAT | O_APPEND);
	redirect(2, run->where, ".err", O_WRONLY | O_CREAT | O_APPEND);
	execvp(*check->command, check->command);
	error = errno;
	_exit(write(tell, &error, sizeof(error)) < 0);
}

/* Waits for @pid, which is killed when its time is up. */
static int wait_with_patience(pid_t pid, double deadline)
{
	const struct timespec nap = { 0, 2L * 1000 * 1000 };
	int status = -1;

	while (waitpid(pid, &status, deadline > 0 ? WNOHANG : 0) == 0) {
		if (now() < deadline) {
			nanosleep(&nap, NULL);
			continue;
		}
		kill(pid, SIGKILL);
		deadline = 0;
	}
	return status;
}

static void count_forks(struct run *run)
{
	static const char *const keys[] = { "\"forks_lazy\":",
					    "\"forks_lent\":", "\"spawns\":",
					    "\"vforks\":", "\"forks_real\":" };
	char path[PATH_MAX + 8], line[1024];
	FILE *in;

	snprintf(path, sizeof(path), "%s.stats", run->where);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in)) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			const char *at = strstr(line, keys[i]);
			unsigned long n =
				at ? strtoul(at + strlen(keys[i]), NULL, 10) :
				     0;

			run->forks += n;
			run->lazy += i < 4 ? n : 0;
		}
	}
	if (in)
		fclose(in);
}

/* 0, or an exit status after a complaint. */
static int start(struct check *check, const struct run *run, pid_t *ret_pid)
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

/* The same. */
static int run_one(struct check *check, struct run *run)
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

static void status_text(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "signal %d", WTERMSIG(status));
	else
		snprintf(text, size, "%d", WEXITSTATUS(status));
}

/* Say in @text what of @aspect is different from plain. */
static bool differs(const struct run *plain, const struct run *run,
		    enum aspect aspect, char *text)
{
	char a[PATH_MAX + 8], b[PATH_MAX + 8];
	const char *what = aspect == OUTPUT ? ".out" : ".err";

	switch (aspect) {
	case STATUS:
		status_text(plain->status, a, sizeof(a));
		status_text(run->status, b, sizeof(b));
		snprintf(text, DIFFERENCE_MAX, "%.20s instead of %.20s", b, a);
		return plain->status != run->status;
	case OUTPUT:
	case ERRORS:
		snprintf(a, sizeof(a), "%s%s", plain->where, what);
		snprintf(b, sizeof(b), "%s%s", run->where, what);
		return check_texts_differ(a, b, text, DIFFERENCE_MAX);
	case FILES:
		return check_folders_differ(&plain->files, &run->files, text,
					    DIFFERENCE_MAX);
	default:
		snprintf(text, DIFFERENCE_MAX,
			 "%u (%.100s) instead of %u (%.100s)", run->left,
			 run->left_names, plain->left, plain->left_names);
		return plain->left != run->left;
	}
}

static void print_run(const struct run *run)
{
	char status[32];

	status_text(run->status, status, sizeof(status));
	printf("%-8s status %-4s %6.2f s  %zu files, %u processes left",
	       run->way->name, status, run->seconds, run->files.count,
	       run->left);
	if (run->way->preload && !run->way->off)
		printf(", %lu children, %lu without a copy", run->forks,
		       run->lazy);
	putchar('\n');
}

/* 0: the same; 1: not; 2: not all could be compared. */
static int judge(const struct check *check)
{
	const struct run *plain = &check->run[0];
	bool varies[ASPECTS];
	char text[DIFFERENCE_MAX];
	int verdict = 0;

	for (int aspect = 0; aspect < ASPECTS; aspect++) {
		varies[aspect] = differs(plain, &check->run[1],
					 (enum aspect)aspect, text);
		if (!varies[aspect])
			continue;
		printf("not compared: %s: plain, it differs each time: %s\n",
		       aspects[aspect], text);
		verdict = 2;
	}
	for (size_t i = 2; i < WAYS; i++) {
		for (int aspect = 0; aspect < ASPECTS; aspect++) {
			if (varies[aspect] ||
			    !differs(plain, &check->run[i], (enum aspect)aspect,
				     text))
				continue;
			printf("DIFFERENT: %s: %s: %s\n", ways[i].name,
			       aspects[aspect], text);
			verdict = 1;
		}
	}
	if (!verdict)
		puts("the same in all ways");
	return verdict;
}

static int run_all(struct check *check)
{
	for (size_t i = 0; i < WAYS; i++) {
		struct run *run = &check->run[i];
		int status;

		run->way = &ways[i];
		snprintf(run->where, sizeof(run->where), "%s/%s", check->top,
			 ways[i].name);
		status = run_one(check, run);
		if (status)
			return status;
		print_run(run);
		fflush(stdout);
		check->patience = check->run[0].seconds * 10 + PATIENCE_S;
	}
	return judge(check);
}

static bool set_up(struct check *check, bool empty)
{
	const char *tmp = getenv("TMPDIR");

	if (!empty) {
		check->from = realpath(".", NULL);
		bytes_seen = 0;
		if (!check->from ||
		    nftw(check->from, add_bytes, 32, FTW_PHYS)) {
			cli_complain(
				"check",
				"the current directory has more than 256 "
				"MiB to copy; change to another, or --empty");
			return false;
		}
	}
	if (snprintf(check->top, sizeof(check->top), "%s/flatfork-check.XXXXXX",
		     tmp && *tmp ? tmp : "/tmp") >= (int)sizeof(check->top) ||
	    !mkdtemp(check->top)) {
		cli_complain("check", "%s: %s", check->top, strerror(errno));
		return false;
	}
	return true;
}

/* Where the command begins, NULL after a complaint. */
static char **options(char **argv, bool *ret_empty, bool *ret_keep)
{
	for (; *argv && **argv == '-'; argv++) {
		if (!strcmp(*argv, "--"))
			return argv + 1;
		if (!strcmp(*argv, "--empty")) {
			*ret_empty = true;
		} else if (!strcmp(*argv, "--keep")) {
			*ret_keep = true;
		} else {
			cli_complain("check",
				     "'%s': no such option; --empty, --keep",
				     *argv);
			return NULL;
		}
	}
	return argv;
}

int cli_check(char **argv)
{
	static struct check check;
	bool empty = false, keep = false;
	int status;

	argv = options(argv, &empty, &keep);
	if (!argv)
		return CLI_FAILED;
	if (!*argv) {
		cli_complain("check", "which command?");
		return CLI_FAILED;
	}
	check.command = argv;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || !set_up(&check, empty))
		return CLI_FAILED;
	status = run_all(&check);
	if (keep)
		printf("kept: %s\n", check.top);
	else
		nftw(check.top, remove_one, 32, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < WAYS; i++)
		check_folder_free(&check.run[i].files);
	free((char *)check.from);
	return status;
}
