/*
 * flatfork check -- command: is it the same with flatfork as without it?
 * The command runs in each way in the same place, a copy of the current
 * directory, and output, status, files and processes left over are compared.
 * It runs plain twice: what differs then is not flatfork's doing, and is not
 * compared.
 */
#include "cli/check.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

#define COPY_MAX ((uint64_t)256 << 20)
#define DIFFERENCE_MAX 512
/* As long as plain ten times, and this: then it hangs. */
#define PATIENCE_S 60

static const struct check_way ways[CHECK_WAYS] = {
	{ "plain", NULL, false, false }, { "again", NULL, false, false },
	{ "lazy", "lazy", true, false }, { "default", NULL, true, false },
	{ "off", NULL, true, true },
};

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

static uint64_t bytes_seen;

static int add_bytes(const char *path, const struct stat *s, int type,
		     struct FTW *where)
{
	(void)path, (void)type, (void)where;
	bytes_seen += S_ISREG(s->st_mode) ? (uint64_t)s->st_size : 0;
	return bytes_seen > COPY_MAX;
}

static void status_text(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "signal %d", WTERMSIG(status));
	else
		snprintf(text, size, "%d", WEXITSTATUS(status));
}

/* Say in @text what of @aspect is different from plain. */
static bool differs(const struct check_run *plain, const struct check_run *run,
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
		return plain->left != run->left ||
		       strcmp(plain->left_names, run->left_names) != 0;
	}
}

static void print_run(const struct check_run *run)
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
	const struct check_run *plain = &check->run[0];
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
	for (size_t i = 2; i < CHECK_WAYS; i++) {
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
	for (size_t i = 0; i < CHECK_WAYS; i++) {
		struct check_run *run = &check->run[i];
		int status;

		run->way = &ways[i];
		snprintf(run->where, sizeof(run->where), "%s/%s", check->top,
			 ways[i].name);
		status = check_run_once(check, run);
		if (status || check_was_stopped())
			return status ? status : CLI_FAILED;
		print_run(run);
		fflush(stdout);
		check->patience = check->run[0].seconds * 10 + PATIENCE_S;
	}
	return judge(check);
}

/* The current directory, if it can be copied; false after a complaint. */
static bool has_folder(struct check *check)
{
	int rc;

	check->from = realpath(".", NULL);
	bytes_seen = 0;
	rc = check->from ? nftw(check->from, add_bytes, 32, FTW_PHYS) : -1;
	if (rc < 0)
		cli_complain("check", "the current directory: %s",
			     strerror(errno));
	else if (rc)
		cli_complain("check",
			     "the current directory has more than 256 MiB to "
			     "copy; change to another, or --empty");
	return !rc;
}

static bool set_up(struct check *check, bool empty)
{
	if (!empty && !has_folder(check))
		return false;
	if (cli_folder_make("check", check->top, sizeof(check->top)))
		return true;
	cli_complain("check", "%s: %s", cli_folder_parent(), strerror(errno));
	return false;
}

int cli_check(char **argv)
{
	static struct check check;
	int status, sig;

	if (!*argv) {
		cli_complain("check", "which command?");
		return CLI_FAILED;
	}
	if (!cli_preload_can("check"))
		return CLI_FAILED;
	check.command = argv;
	check_heed_signals();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) ||
	    !set_up(&check, cli_flag("--empty")))
		return CLI_FAILED;
	status = run_all(&check);
	if (cli_flag("--keep"))
		printf("kept: %s\n", check.top);
	else
		check_folder_remove(check.top);
	for (size_t i = 0; i < CHECK_WAYS; i++)
		check_folder_free(&check.run[i].files);
	free((char *)check.from);
	/* Whoever sent it is told so. */
	sig = check_was_stopped();
	if (sig) {
		fflush(stdout);
		signal(sig, SIG_DFL);
		raise(sig);
	}
	return status;
}
