/* Processes that a command leaves behind. They are this process's children by
 * then, as it is their subreaper. They are killed also where it is told to end
 * itself. */
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/check.h"

#define LOOK_NS (20L * 1000 * 1000)
#define NAMED_MAX 64
#define STABLE_LOOKS 50 /* one second in which nothing has happened */
#define BUSY_LOOKS 250	/* five, where some are always busy */
#define LOOKS_MAX 1000	/* twenty, where some come and go without end */

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	stopped = sig;
}

int check_was_stopped(void)
{
	return stopped;
}

void check_heed_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction old, ours = { .sa_handler = stop };

	/* What is ignored stays so, for the command, too. */
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &ours, NULL);
}

/* Children of ours that live. */
struct children {
	unsigned count;
	bool busy;	 /* one of them is at work, before its exec maybe */
	char names[256]; /* in an order of their own */
};

/* Is @pid a child of ours that lives? Its name and state, too. */
static bool is_child(const char *pid, char name[64], char *ret_state)
{
	char path[64], text[512], *open, *close;
	int parent = 0;
	size_t n;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return false;
	n = fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	text[n] = '\0';
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close ||
	    sscanf(close + 1, " %c %d", ret_state, &parent) != 2)
		return false;
	snprintf(name, 64, "%.*s", (int)(close - open - 1), open + 1);
	return parent == getpid() && *ret_state != 'Z';
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Processes have no order that is the same each time. */
static void join(char name[][64], size_t count, char *names, size_t size)
{
	size_t used = 0;

	*names = '\0';
	qsort(name, count, sizeof(name[0]), by_name);
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(names + used, size - used, "%s%s",
					 used ? " " : "", name[i]);
}

/* Looks and, with @sig, kills. */
static struct children look_at_children(int sig)
{
	static char name[NAMED_MAX][64];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	struct children all = { 0 };
	char other[64], state = 'Z';

	while (proc && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)*entry->d_name) ||
		    !is_child(entry->d_name,
			      all.count < NAMED_MAX ? name[all.count] : other,
			      &state))
			continue;
		all.count++;
		all.busy |= state == 'R' || state == 'D';
		if (sig)
			kill((pid_t)strtol(entry->d_name, NULL, 10), sig);
	}
	if (proc)
		closedir(proc);
	join(name, all.count < NAMED_MAX ? all.count : NAMED_MAX, all.names,
	     sizeof(all.names));
	return all;
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Those that are not about to end, or to exec: on a busy machine that may take
 * long. */
static struct children settled_children(void)
{
	const struct timespec look = { 0, LOOK_NS };
	struct children before = { 0 }, now;
	unsigned stable = 0, same = 0;

	for (unsigned looks = 0;; looks++) {
		reap();
		now = look_at_children(0);
		if (now.count != before.count ||
		    strcmp(now.names, before.names) != 0)
			stable = same = 0;
		else
			same++;
		stable += same && !now.busy;
		before = now;
		if (!now.count || stable == STABLE_LOOKS ||
		    same == BUSY_LOOKS || looks == LOOKS_MAX || stopped)
			return now;
		nanosleep(&look, NULL);
	}
}

unsigned check_leftovers(char *names, size_t size)
{
	const struct timespec look = { 0, LOOK_NS };
	const struct children left = settled_children();

	snprintf(names, size, "%s", left.names);
	/* What they have made is ours as soon as they are dead. */
	while (look_at_children(SIGKILL).count) {
		nanosleep(&look, NULL);
		reap();
	}
	reap();
	return left.count;
}
