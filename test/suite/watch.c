/*
 * suite-watch: run one command and say how it ended, who it left behind.
 *
 * Runs between the test script and the program under test, never preloaded.
 * It is a subreaper: whatever the program does not reap becomes its child,
 * so a zombie or a process left over can't hide.
 *
 *	suite-watch -r REPORT [-t SECONDS] [-g GRACE_MS] command [args...]
 *
 * The report, one fact a line:
 *	status exited N | status signal N | timeout
 *	orphans N            processes the program never reaped
 *	left STATE COMM      still there GRACE_MS after the program ended
 *
 * Rules: the command gets its own session, descriptors 0-2 and default
 * dispositions; at the end nothing of it is alive. Exit status: 0 when the
 * report is complete, 2 otherwise.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROCS 32768

struct proc {
	pid_t pid, ppid;
	char state, comm[32];
	bool ours;
};

static struct proc procs[MAX_PROCS];
static FILE *report;

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static bool read_proc(const char *pid, struct proc *p)
{
	char path[64], line[512], *open_paren, *close_paren;
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	open_paren = ok ? strchr(line, '(') : NULL;
	close_paren = ok ? strrchr(line, ')') : NULL;
	if (!open_paren || !close_paren)
		return false;
	*close_paren = 0;
	p->pid = atoi(line);
	p->ours = false;
	snprintf(p->comm, sizeof(p->comm), "%s", open_paren + 1);
	return sscanf(close_paren + 1, " %c %d", &p->state, &p->ppid) == 2;
}

/* Every descendant of ours, marked in procs[]; returns how many entries. */
static int descendants(void)
{
	struct dirent *d;
	DIR *dir = opendir("/proc");
	int n = 0;
	bool more = true;

	if (!dir)
		err(2, "/proc");
	while (n < MAX_PROCS && (d = readdir(dir)) != NULL)
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9')
			n += read_proc(d->d_name, &procs[n]);
	closedir(dir);
	while (more) {
		more = false;
		for (int i = 0; i < n; i++) {
			if (procs[i].ours)
				continue;
			procs[i].ours = procs[i].ppid == getpid();
			for (int j = 0; j < n && !procs[i].ours; j++)
				procs[i].ours = procs[j].ours &&
						procs[j].pid == procs[i].ppid;
			more |= procs[i].ours;
		}
	}
	return n;
}

static void report_left(void)
{
	int n = descendants();

	for (int i = 0; i < n; i++)
		if (procs[i].ours)
			fprintf(report, "left %c %s\n", procs[i].state,
				procs[i].comm);
}

/* As processes die their children become ours: repeat until none is left. */
static void kill_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD) {
		int n = descendants();

		for (int i = 0; i < n; i++)
			if (procs[i].ours)
				kill(procs[i].pid, SIGKILL);
		usleep(10000);
	}
}

static void child_run(char **argv, const sigset_t *mask)
{
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	setsid();
	if (close_range(3, ~0U, 0))
		err(126, "close_range");
	execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

static void say_status(int status)
{
	if (WIFEXITED(status))
		fprintf(report, "status exited %d\n", WEXITSTATUS(status));
	else
		fprintf(report, "status signal %d\n", WTERMSIG(status));
}

/* True: everything ended by itself before the deadlines. */
static bool watch(pid_t main_pid, const sigset_t *wake, long limit_ms,
		  long grace_ms)
{
	long deadline = now_ms() + limit_ms;
	int status, orphans = 0;
	bool ended = false;

	for (;;) {
		struct timespec tick = { 0, 20000000 };
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == main_pid) {
			say_status(status);
			ended = true;
			deadline = now_ms() + grace_ms;
		} else if (pid > 0) {
			orphans++;
		}
		if (pid > 0)
			continue;
		if (pid < 0 && errno == ECHILD)
			break;
		if (now_ms() >= deadline) {
			if (!ended)
				fprintf(report, "timeout\n");
			report_left();
			return false;
		}
		if (sigtimedwait(wake, NULL, &tick) == SIGTERM)
			return false;
	}
	fprintf(report, "orphans %d\n", orphans);
	return true;
}

int main(int argc, char **argv)
{
	long limit_ms = 60000, grace_ms = 3000;
	const char *path = NULL;
	sigset_t wake, old;
	pid_t pid;
	int c;

	while ((c = getopt(argc, argv, "+r:t:g:")) != -1) {
		if (c == 'r')
			path = optarg;
		else if (c == 't')
			limit_ms = atol(optarg) * 1000;
		else if (c == 'g')
			grace_ms = atol(optarg);
		else
			return 2;
	}
	if (!path || optind >= argc)
		errx(2, "usage: suite-watch -r REPORT [-t S] [-g MS] command");
	report = fopen(path, "we");
	if (!report)
		err(2, "%s", path);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		err(2, "subreaper");
	sigemptyset(&wake);
	sigaddset(&wake, SIGCHLD);
	sigaddset(&wake, SIGTERM);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &wake, &old);
	sigemptyset(&old);
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (!pid)
		child_run(argv + optind, &old);
	if (!watch(pid, &wake, limit_ms, grace_ms))
		kill_all();
	return fclose(report) ? 2 : 0;
}
