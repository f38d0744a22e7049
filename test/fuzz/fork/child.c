/* See child.h. */
#include "child.h"
#include "around.h"
#include "scene.h"
#include "state.h"
#include "steps.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Most children: else few would be left on a fast way until they exec. */
enum {
	QUIET_PERCENT = 65,
};

int child_said_fd;
bool child_has_started, child_is_ours;

static char said[CHILD_SAID];
static size_t said_bytes;
static char witness_path[96];

void child_setup(void)
{
	child_said_fd = scene_out_of_the_way(
		open("said", O_RDWR | O_CREAT | O_CLOEXEC, 0666));
	snprintf(witness_path, sizeof(witness_path), "%s/witness", scene_dir);
}

long step_result(long rc)
{
	return rc == -1 ? -errno : rc;
}

static void say(const char *name, long value)
{
	char word[64];
	int n = snprintf(word, sizeof(word), "%s %lx\n", name,
			 (unsigned long)value);

	if (said_bytes + (size_t)n >= sizeof(said))
		return;
	memcpy(said + said_bytes, word, (size_t)n);
	said_bytes += (size_t)n;
}

/* Of a child that does not exec. */
static void leave_said(void)
{
	pwrite(child_said_fd, said, sizeof(said), 0);
}

static void take_one(const struct step *steps, struct rng *r, bool quiet)
{
	unsigned all = 0, at;
	const struct step *s;

	for (s = steps; s->name; s++)
		all += quiet && !s->quiet ? 0 : s->weight;
	if (!all)
		return;
	at = rng_below(r, all);
	for (s = steps;; s++) {
		if (quiet && !s->quiet)
			continue;
		if (at < s->weight)
			break;
		at -= s->weight;
	}
	errno = 0;
	say(s->name, s->take(r));
}

static void take_steps(struct rng *r, bool seen)
{
	static const struct step *const subjects[] = {
		steps_memory, steps_memory,  steps_buffers, steps_fds,
		steps_raw,    steps_signals, steps_process
	};
	unsigned count = rng_below(r, rng_percent(r, 50) ? 8 : 40);
	bool about = rng_percent(r, 50); /* what is around? */
	bool quiet = rng_percent(r, QUIET_PERCENT);
	unsigned gentle = seen ? 5 : 7; /* the others may keep it from exec */

	for (unsigned i = 0; i < count; i++) {
		const struct step *steps =
			about && rng_percent(r, 25) ? around_steps(r) : NULL;

		if (steps) {
			take_one(steps, r, quiet);
			continue;
		}
		take_one(seen && rng_percent(r, 15) ?
				 steps_seen :
				 subjects[rng_below(r, gentle)],
			 r, quiet);
	}
}

/* Arguments and environment that lie anywhere. */
static char **far_strings(struct rng *r, char *first, char *second)
{
	char **v = calloc(40, sizeof(*v));
	unsigned n = 0;

	if (!v)
		_exit(98);
	if (first)
		v[n++] = first;
	if (second)
		v[n++] = second;
	for (unsigned i = rng_below(r, 6); i > 0; i--) {
		size_t bytes = rng_below(r, rng_percent(r, 80) ? 90 : 60000);

		v[n] = malloc(bytes + 1);
		if (!v[n])
			_exit(98);
		memset(v[n], 'a' + (int)n, bytes);
		v[n++][bytes] = '\0';
	}
	return v;
}

static __attribute__((noinline)) void borrow(void)
{
	pid_t pid;

	child_has_started = true;
	pid = vfork();
	if (pid == 0) {
		execve("/missing", environ, environ);
		_exit(9);
	}
	waitpid(pid, NULL, 0);
}

/* By one of four calls, the last one twice as often; returns what is wrong. */
static int try_exec(unsigned how, const char *path, char **argv, char **envp)
{
	int fd;

	switch (how) {
	case 0:
		environ = envp;
		execvp(path, argv);
		break;
	case 1:
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			fexecve(fd, argv, envp);
		break;
	case 2:
		setenv("PATH", "/missing:/usr/bin:", 1);
		execvpe("witness", argv, envp);
		break;
	default:
		execve(path, argv, envp);
	}
	return errno;
}

/* @sure: in a way that does not fail. */
static void exec_witness(struct rng *r, bool sure)
{
	static char name[] = "witness";
	const char *path = around_program ? around_program : witness_path;
	char **argv, **envp = environ;
	unsigned how;
	int error;

	argv = far_strings(r, name, said);
	if (rng_percent(r, 50))
		envp = far_strings(r, NULL, NULL);
	if (rng_percent(r, 3))
		borrow();
	how = sure ? 3 : rng_below(r, 5);
	/* a signal that comes at any time, while a lease is waited for */
	do
		error = try_exec(how, path, argv, envp);
	while (error == EINTR);
	say("exec", -error);
}

static void fail_to_exec(struct rng *r)
{
	static const char *const paths[] = { "/missing", "text", "empty",
					     "orphan",	 "sub",	 "loop",
					     "busy",	 "",	 "private/x" };
	char **argv = far_strings(r, said, NULL);
	const char *path = RNG_PICK(r, paths);

	switch (rng_below(r, 4)) {
	case 0:
		syscall(SYS_execve, path, 8, 0);
		break;
	case 1:
		syscall(SYS_execve, NULL, argv, argv);
		break;
	default:
		execve(path, argv, argv);
	}
	say("exec", -errno);
}

static _Noreturn void end(struct rng *r)
{
	leave_said();
	switch (rng_below(r, 5)) {
	case 0:
		exit((int)rng_below(r, 256));
	case 1:
		quick_exit(3);
	default:
		_exit((int)rng_below(r, 256));
	}
}

static _Noreturn void die(struct rng *r)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGUSR1, SIGSEGV,
				       SIGSYS,	SIGPIPE, SIGABRT, SIGFPE };
	static volatile char *volatile nowhere = (char *)16;

	if (rng_percent(r, 50))
		leave_said();
	switch (rng_below(r, 4)) {
	case 0:
		abort();
	case 1:
		/* whose handler returns would be here for ever */
		signal(SIGSEGV, rng_percent(r, 50) ? SIG_DFL : SIG_IGN);
		*nowhere = 1;
		break;
	default:
		raise(RNG_PICK(r, signals));
	}
	_exit(44);
}

static void *in_thread(void *arg)
{
	(void)arg;
	return malloc(1000);
}

/* Children, threads, processes of the child's own. */
static void start(struct rng *r)
{
	char *argv[] = { witness_path, NULL };
	struct timespec little = { 0, 1000000 };
	pthread_t thread;
	pid_t pid, ended;
	int status = 0;

	child_has_started = true;
	signal(SIGCHLD, SIG_DFL);
	switch (rng_below(r, 5)) {
	case 0:
		pid = fork();
		if (pid == 0)
			_exit(17);
		break;
	case 1:
		say("spawn",
		    posix_spawn(&pid, "/missing", NULL, NULL, argv, environ));
		return;
	case 2:
		if (pthread_create(&thread, NULL, in_thread, NULL))
			return;
		pthread_join(thread, NULL);
		return;
	case 3:
		while (nanosleep(&little, &little) && errno == EINTR)
			;
		say("sleep", 0);
		return;
	default:
		pid = vfork();
		if (pid == 0)
			_exit(18);
	}
	if (pid < 0) {
		say("no child", -errno);
		return;
	}
	/* a signal of the storm may be handled meanwhile */
	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	say("child", ended == pid ? status : -errno);
}

enum child_kind child_kind(struct rng *r)
{
	static const unsigned char percent[CHILD_KINDS] = { 50, 25, 6, 7, 6 };
	unsigned at = rng_below(r, 100), kind;

	for (kind = 0; kind < CHILD_KINDS - 1 && at >= percent[kind]; kind++)
		at -= percent[kind];
	return (enum child_kind)kind;
}

/* A handler of faults that returns would be there for ever. */
static void let_faults_end(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };
	struct sigaction now;

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (!sigaction(faults[i], NULL, &now) &&
		    now.sa_handler != SIG_IGN && now.sa_handler != SIG_DFL)
			signal(faults[i], SIG_DFL);
}

_Noreturn void child_run(enum child_kind kind, struct rng *r)
{
	say("errno", errno);
	let_faults_end();
	take_steps(r, kind == CHILD_WRITES_EXECS);
	switch (kind) {
	case CHILD_STARTS:
		start(r);
		take_steps(r, true);
		/* fall through */
	case CHILD_EXECS:
	case CHILD_WRITES_EXECS:
		exec_witness(r, kind == CHILD_WRITES_EXECS);
		break;
	case CHILD_EXEC_FAILS:
		fail_to_exec(r);
		if (rng_percent(r, 50))
			exec_witness(r, false);
		break;
	case CHILD_DIES:
		die(r);
	default:
		break;
	}
	end(r);
}
