/*
 * first CASE PROGRAM: the first start of a process, when a filter is asked, in
 * an awkward moment. Then some more, which say how they ended.
 *
 *	handler	in a signal handler, on an alternate stack
 *	threads	of several threads at once
 *	full	where the user may have no more processes, or one more
 *	kill	while somebody kills who asks
 *	stop	or stops it
 *	trace	or traces it
 *	pause	or stops both, and lets them go on: its parent first
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES ((size_t)8 << 20)
#define THREADS 4
#define NOBODY 65534

static char memory[BYTES];
static char **program;
static int status_of[THREADS];
static pthread_barrier_t together;

static int start(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		memory[BYTES / 2]++;
		execv(program[0], program);
		_exit(8);
	}
	if (pid < 0)
		return -errno;
	waitpid(pid, &status, 0);
	return status;
}

static void say(const char *what, int number)
{
	printf("%s: %d\n", what, number);
	fflush(stdout);
}

static void handler(int sig)
{
	(void)sig;
	say("in a handler", start());
}

static void in_handler(void)
{
	struct sigaction act = { .sa_handler = handler,
				 .sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_size = 1 << 16, .ss_sp = malloc(1 << 16) };

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
}

static void *at_once(void *number)
{
	pthread_barrier_wait(&together);
	*(int *)number = start();
	return NULL;
}

static void of_threads(void)
{
	pthread_t thread[THREADS];

	pthread_barrier_init(&together, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, at_once, &status_of[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		say("of a thread", status_of[i]);
	}
}

static void limit_to(rlim_t processes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NPROC, &limit);
	limit.rlim_cur = processes < limit.rlim_max ? processes :
						      limit.rlim_max;
	setrlimit(RLIMIT_NPROC, &limit);
}

/* As a user who has no other process, if that may be. */
static void where_full(void)
{
	if (setresuid(NOBODY - 7, NOBODY - 7, NOBODY - 7) && !geteuid())
		say("still root", errno);
	limit_to(1);
	say("no more", start());
	limit_to(2);
	say("one more", start());
	limit_to(RLIM_INFINITY);
}

/* Past libc, as its children are nobody's to see. */
static long raw(long nr, long a)
{
	register long none __asm__("r10") = 0;
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(nr), "D"(a), "S"(0L), "d"(0L), "r"(none),
			   "r"(none)
			 : "rcx", "r11", "r8", "memory");
	return rc;
}

/* A child of @parent that sends no signal when it ends? */
static int is_silent(int pid, int parent)
{
	char path[64], text[1024], *at;
	int its_parent = 0, field, n = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return 0;
	n = (int)fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	text[n > 0 ? n : 0] = 0;
	at = strrchr(text, ')');
	if (!at || sscanf(at, ") %*c %d", &its_parent) != 1)
		return 0;
	for (field = 2; at && field < 38; field++)
		at = strchr(at + 1, ' ');
	return at && its_parent == parent && atoi(at) == 0;
}

/* But for @other, who was there before. */
static int find_silent(int parent, int other)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int pid = 0;

	while (!pid && proc && (entry = readdir(proc)))
		if (atoi(entry->d_name) != getpid() &&
		    atoi(entry->d_name) != other &&
		    is_silent(atoi(entry->d_name), parent))
			pid = atoi(entry->d_name);
	if (proc)
		closedir(proc);
	return pid;
}

/* For longer than an answer is waited for, had they gone on. */
static void pause_both(int pid, int parent)
{
	kill(parent, SIGSTOP);
	kill(pid, SIGSTOP);
	usleep(2500000);
	kill(parent, SIGCONT);
	usleep(50000);
	kill(pid, SIGCONT);
}

/* One, once, that is still there a while later, as it waits for its answer; for
 * as long as its parent lives. The supervisor of the filter is silent, too. */
static void disturb(const char *how, int parent, int supervisor)
{
	int pid = 0;

	while (getppid() == parent && !pid) {
		pid = find_silent(parent, supervisor);
		usleep(20000);
		if (pid != find_silent(parent, supervisor))
			pid = 0;
	}
	if (getppid() != parent) /* and perhaps nobody was found: 0, all */
		_exit(0);
	if (!strcmp(how, "trace"))
		ptrace(PTRACE_SEIZE, pid, 0, 0);
	else if (!strcmp(how, "pause"))
		pause_both(pid, parent);
	else
		kill(pid, strcmp(how, "kill") ? SIGSTOP : SIGKILL);
	while (getppid() == parent)
		usleep(1000);
	_exit(0);
}

static void while_disturbed(const char *how)
{
	int parent = getpid(), supervisor = find_silent(parent, 0);

	if (raw(SYS_fork, 0) == 0)
		disturb(how, parent, supervisor);
	say("disturbed", start());
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	program = argv + 2;
	memset(memory, 1, sizeof(memory));
	if (!strcmp(argv[1], "handler"))
		in_handler();
	else if (!strcmp(argv[1], "threads"))
		of_threads();
	else if (!strcmp(argv[1], "full"))
		where_full();
	else
		while_disturbed(argv[1]);
	for (int i = 0; i < 3; i++)
		say("later", start());
	say("memory", memory[BYTES / 2]);
	return 0;
}
