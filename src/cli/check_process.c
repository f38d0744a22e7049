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
#define STABLE_LOOKS 50 /* one second in which none has ended */

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

/* Is @pid a child of ours that lives? Its name, too. */
static bool is_child(const char *pid, char name[64])
{
	char path[64], text[512], *open, *close;
	char state = 'Z';
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
	    sscanf(close + 1, " %c %d", &state, &parent) != 2)
		return false;
	snprintf(name, 64, "%.*s", (int)(close - open - 1), open + 1);
	return parent == getpid() && state != 'Z';
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* In an order of their own: processes have none that is the same each time. */
static void join(char name[][64], size_t count, char *names, size_t size)
{
	size_t used = 0;

	*names = '\0';
	qsort(name, count, sizeof(name[0]), by_name);
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(names + used, size - used, "%s%s",
					 used ? " " : "", name[i]);
}

/* Counts, names and, with @sig, kills. */
static unsigned children(int sig, char *names, size_t size)
{
	static char name[NAMED_MAX][64];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned count = 0;
	char other[64];

	while (proc && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)*entry->d_name) ||
		    !is_child(entry->d_name,
			      count < NAMED_MAX ? name[count] : other))
			continue;
		count++;
		if (sig)
			kill((pid_t)strtol(entry->d_name, NULL, 10), sig);
	}
	if (proc)
		closedir(proc);
	join(name, count < NAMED_MAX ? count : NAMED_MAX, names, size);
	return count;
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

unsigned check_leftovers(char *names, size_t size)
{
	const struct timespec look = { 0, LOOK_NS };
	char killed[256];
	unsigned count, before = 0, stable = 0;

	for (;;) {
		reap();
		count = children(0, names, size);
		stable = count == before ? stable + 1 : 0;
		before = count;
		if (!count || stable == STABLE_LOOKS || stopped)
			break;
		nanosleep(&look, NULL);
	}
	/* What they have made is ours as soon as they are dead. */
	while (children(SIGKILL, killed, sizeof(killed))) {
		nanosleep(&look, NULL);
		reap();
	}
	reap();
	return count;
}
