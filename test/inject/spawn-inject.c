/*
 * Every system call of a spawn fails once with every error it can have, the
 * parent's and the child's, in a process that never spawned before. Then the
 * program was started, and found what it always finds; or there is an error
 * that the call can have caused, and no child. Whatever came of it, the process
 * is as before, and the next spawn works.
 *
 *	spawn-inject WITNESS [-v] [NAME]
 *
 * NAME: of one way to spawn. -v says what became of each. Run with the
 * interposer in LD_PRELOAD; without it, libflatfork alone is looked at. Prints
 * a line for each way. Exit: 0, 1 or 77.
 */
#include "inject.h"
#include "keep.h"
#include "ways.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fuzz/witness.h"

#define WITNESS_STATUS (7 << 8)
#define UNTOUCHED (-12345)
#define MUST(c)                                      \
	do {                                         \
		if (!(c)) {                          \
			perror("spawn-inject: " #c); \
			_exit(1);                    \
		}                                    \
	} while (0)

/* Shared by all processes of the run. */
static struct witness *report; /* what the witness writes */
static struct {
	struct witness first; /* the way's, where nothing failed */
	unsigned failed, started, refused, wrong;
} * shared;

static char dir[] = "/tmp/spawn-inject.XXXXXX";
static bool verbose;

/* ---- the scene ---- */

static void copy_witness(const char *from)
{
	static char text[1 << 20];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open("witness", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ssize_t n = read(in, text, sizeof(text));

	MUST(n > 0 && write(out, text, (size_t)n) == n);
	close(in);
	close(out);
}

static void make_scene(const char *witness)
{
	char path[4096];
	int fd;

	MUST(realpath(witness, path));
	umask(022);
	MUST(mkdtemp(dir) && !chmod(dir, 0755) && !chdir(dir));
	copy_witness(path);
	MUST(!mkdir("sub", 0755));
	fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	MUST(write(fd, "0123456789", 10) == 10);
	close(fd);
	fd = open("report", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	MUST(!fchmod(fd, 0666) && !ftruncate(fd, sizeof(*report)));
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	close(fd);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(report != MAP_FAILED && shared != MAP_FAILED);
}

static void remove_scene(void)
{
	static const char *const names[] = { "witness", "file", "report" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(names[i]);
	rmdir("sub");
	rmdir(dir);
}

/* ---- the process that spawns ---- */

static void handler(int sig)
{
	(void)sig;
}

static void put(int fd, int to)
{
	MUST(dup2(fd, to) == to);
	close(fd);
}

static void be_somebody(void)
{
	const struct rlimit limit = { 1000, 100000 };
	int master, slave, fd;
	sigset_t set;

	MUST(setsid() > 0);
	for (fd = 3; fd < 256; fd++)
		close(fd);
	MUST(!openpty(&master, &slave, NULL, NULL, NULL));
	put(slave, FD_TERMINAL);
	put(master, FD_TERMINAL + 1);
	MUST(!ioctl(FD_TERMINAL, TIOCSCTTY, 0));
	put(open("file", O_RDWR), FD_FILE);
	MUST(lseek(FD_FILE, 3, SEEK_SET) == 3);
	put(open("sub", O_RDONLY | O_DIRECTORY), FD_DIRECTORY);
	MUST(!fcntl(FD_DIRECTORY, F_SETFD, FD_CLOEXEC));
	put(open("/dev/null", O_RDONLY), FD_HIGH);
	put(open("/dev/null", O_RDWR), 4);
	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGCHLD, handler);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_SETMASK, &set, NULL);
	umask(027);
	setrlimit(RLIMIT_CORE, &limit);
}

/* ---- what the witness found ---- */

static int relation(int id, int pid)
{
	return id == pid ? 1 : id == getpid() ? 2 : id;
}

static void normalise(struct witness *w)
{
	int i;

	w->parent = relation(w->parent, w->pid);
	w->group = relation(w->group, w->pid);
	w->session = relation(w->session, w->pid);
	w->pid = 0;
	for (i = 0; i < w->nr_fds && i < WITNESS_FDS; i++)
		if (!S_ISREG(w->fds[i].mode))
			w->fds[i].ino = w->fds[i].dev = 0;
}

/* Reap it; NULL, or what is wrong with it. */
static const char *look_at_child(const struct way *way, int child)
{
	siginfo_t info = { .si_pid = 0 };
	int status;

	if (way->pidfd) {
		if (waitid(P_PIDFD, (id_t)child, &info, WEXITED))
			return "the pidfd is of no use";
		status = info.si_code == CLD_EXITED ? info.si_status << 8 : 1;
		close(child);
	} else if (waitpid(child, &status, 0) != child) {
		return "no child";
	}
	if (status != WITNESS_STATUS || !report->complete)
		return "the program did not run";
	normalise(report);
	if (!shared->first.complete)
		shared->first = *report;
	return memcmp(&shared->first, report, sizeof(*report)) ?
		       "the program found something else" :
		       NULL;
}

/* ---- one spawn ---- */

static bool is_call(const char *name)
{
	return !strcmp(inject->call, name);
}

/* Errors of steps that are tried another way, or told by another name. */
static bool may_say(int rc)
{
	if (rc == inject->error)
		return true;
	/* a search goes on, and what it says is of all places */
	return is_call("execve") && rc == ENOENT;
}

/* NULL, or what is wrong. @rc: what came back. */
static const char *run_once(const struct way *way, int *ret_rc)
{
	int child = UNTOUCHED, saved = 4711;
	const char *wrong = NULL;

	report->complete = 0;
	errno = saved;
	*ret_rc = way->run(&child);
	if (*ret_rc == 0)
		wrong = look_at_child(way, child);
	else if (*ret_rc < 0)
		wrong = "nonsense came back";
	else if (child != UNTOUCHED)
		wrong = "a child was told of with an error";
	else if (report->complete)
		wrong = "the program ran all the same";
	tcsetpgrp(FD_TERMINAL, getpid());
	return wrong;
}

static void complain(const struct way *way, const char *when, const char *what,
		     int rc)
{
	printf("WRONG %s: %s call %u, %s=%s, %s: %s (%s)\n", way->name,
	       way_order.side == INJECT_CHILD ? "child's" : "parent's",
	       way_order.nth, inject->call ? inject->call : "none",
	       strerrorname_np(inject->error), when, what,
	       rc > 0 ? strerrorname_np(rc) : "started");
	shared->wrong++;
}

static void tell(const struct way *way, int rc)
{
	if (verbose)
		printf("  %s: %s %u %s=%s: %s\n", way->name,
		       way_order.side == INJECT_CHILD ? "child" : "parent",
		       way_order.nth, inject->call,
		       strerrorname_np(inject->error),
		       rc ? strerrorname_np(rc) : "started");
}

/* In a process of its own. */
static void run_case(const struct way *way)
{
	const char *wrong;
	int rc;

	be_somebody();
	if (way->prepare)
		way->prepare();
	keep_note();
	way_order.armed = true;
	wrong = run_once(way, &rc);
	if (!wrong && inject->call && rc && !may_say(rc))
		wrong = "another error";
	if (wrong)
		complain(way, "then", wrong, rc);
	if (inject->call) {
		shared->failed++;
		*(rc ? &shared->refused : &shared->started) += 1;
		tell(way, rc);
	}
	wrong = keep_changed();
	if (wrong)
		complain(way, "afterwards", wrong, rc);
	way_order.armed = false;
	wrong = run_once(way, &rc);
	if (wrong || rc)
		complain(way, "the next", wrong ? wrong : "an error", rc);
	wrong = keep_changed();
	if (wrong)
		complain(way, "after the next", wrong, rc);
}

/* A wait status. */
static int in_a_process(const struct way *way)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		inject_wait_for_tracer();
		run_case(way);
		fflush(stdout);
		_exit(0);
	}
	return inject_trace(pid);
}

/* Every error of call @nth; false: there is no such call. */
static bool run_call(const struct way *way, enum inject_side side, unsigned nth)
{
	unsigned which = 0;
	int status;

	do {
		way_order = (struct order){ false, side, nth, which };
		status = in_a_process(way);
		if (status == 77 << 8)
			exit(77);
		if (status) {
			printf("WRONG %s: the process ended, status %#x, "
			       "%s's call %u, %s\n",
			       way->name, status,
			       side == INJECT_CHILD ? "child" : "parent", nth,
			       inject->call ? inject->call : "none");
			shared->wrong++;
			return false;
		}
		if (!inject->call)
			return false;
	} while (++which < inject->choices);
	return true;
}

static void run_way(const struct way *way)
{
	unsigned calls[INJECT_SIDES] = { 0, 0 };
	int side;

	memset(shared, 0, sizeof(*shared) - sizeof(shared->wrong));
	run_call(way, INJECT_PARENT, 0);
	for (side = 0; side < INJECT_SIDES; side++)
		while (run_call(way, side, calls[side] + 1))
			calls[side]++;
	printf("%s: %u calls of the parent, %u of the child; %u failures, "
	       "%u started, %u refused\n",
	       way->name, calls[INJECT_PARENT], calls[INJECT_CHILD],
	       shared->failed, shared->started, shared->refused);
}

static bool may_have_new_user(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) != 0);
	waitpid(pid, &status, 0);
	return status == 0;
}

static bool is_possible(const struct way *way)
{
	if (!way->new_user || may_have_new_user())
		return true;
	printf("%s: no user namespaces here\n", way->name);
	return false;
}

int main(int argc, char **argv)
{
	bool ours = dlsym(RTLD_DEFAULT, "pidfd_spawn") != NULL;
	const char *only = NULL;
	unsigned i;
	int wrong;

	for (i = 2; i < (unsigned)argc; i++) {
		if (!strcmp(argv[i], "-v"))
			verbose = true;
		else
			only = argv[i];
	}
	if (argc < 2) {
		fprintf(stderr, "see the head of test/inject/spawn-inject.c\n");
		return 2;
	}
	inject_prepare();
	make_scene(argv[1]);
	for (i = 0; i < ways_count; i++)
		if ((ours || !ways[i].posix) &&
		    (!only || !strcmp(only, ways[i].name)) &&
		    is_possible(&ways[i]))
			run_way(&ways[i]);
	wrong = (int)shared->wrong;
	remove_scene();
	printf("%d wrong\n", wrong);
	return wrong != 0;
}
