/*
 * system(3). POSIX: SIGINT and SIGQUIT are ignored and SIGCHLD is blocked
 * while the command runs.
 *
 * Hazards:
 * H-S14 Dispositions are the process's: several threads in here at once count
 *       themselves; the first changes them, the last puts them back.
 * H-S15 A cancelled thread leaves neither the command nor its zombie behind.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/libc.h"
#include "host/signals.h"
#include "host/spin.h"
#include "spawn/posix.h"
#include "spawn/shell.h"
#include "spawn/spawn.h"

#define SHELL "/bin/sh"
#define EXITED(status) ((status) << 8)

static struct ff_spin lock;
static unsigned inside;
static struct ff_sigaction was_int, was_quit;

struct command {
	pid_t pid;
	int status;
	ff_sigset mask;	 /* the caller's */
	ff_sigset reset; /* which of the two are default in the command */
};

static long change(int sig, const struct ff_sigaction *to,
		   struct ff_sigaction *old)
{
	return sys(rt_sigaction, sig, to, old, sizeof(ff_sigset));
}

/* Both or none. */
static long ignore_both(void)
{
	struct ff_sigaction ignore = { .flags = 0 };
	void *handler = (void *)SIG_IGN;
	long rc;

	ignore.handler = (void (*)(int, siginfo_t *, void *))handler;
	rc = change(SIGINT, &ignore, &was_int);
	if (rc < 0)
		return rc;
	rc = change(SIGQUIT, &ignore, &was_quit);
	if (rc < 0)
		change(SIGINT, &was_int, NULL);
	return rc;
}

/* 0 or -errno, with nothing changed. */
static long begin(struct command *command)
{
	long rc = 0;

	command->mask = ff_block_signals();
	ff_spin_lock(&lock);
	if (inside == 0)
		rc = ignore_both();
	if (rc == 0)
		inside++;
	if ((void *)was_int.handler != (void *)SIG_IGN)
		command->reset |= FF_SIG(SIGINT);
	if ((void *)was_quit.handler != (void *)SIG_IGN)
		command->reset |= FF_SIG(SIGQUIT);
	ff_spin_unlock(&lock);
	ff_setmask(command->mask | (rc == 0 ? FF_SIG(SIGCHLD) : 0));
	return rc;
}

static void end(const struct command *command)
{
	ff_block_signals();
	ff_spin_lock(&lock);
	if (--inside == 0) {
		change(SIGINT, &was_int, NULL);
		change(SIGQUIT, &was_quit, NULL);
	}
	ff_spin_unlock(&lock);
	ff_setmask(command->mask);
}

static int wait_for(struct command *command)
{
	pid_t got;

	do
		got = waitpid(command->pid, &command->status, 0);
	while (got < 0 && errno == EINTR);
	return got == command->pid ? 0 : -1;
}

static void cancelled(void *arg)
{
	struct command *command = arg;
	int state;

	sys(kill, command->pid, SIGKILL);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	wait_for(command);
	pthread_setcancelstate(state, NULL);
	end(command);
}

static int start(const char *text, struct command *command, const void *caller)
{
	/* 2.38 keeps a command from being taken for an option. */
	char *with_dashes[] = { "sh", "-c", "--", (char *)text, NULL };
	char *without[] = { "sh", "-c", (char *)text, NULL };
	struct ff_step step = { .kind = FF_STEP_SIGDEF,
				.signals = command->reset };
	struct ff_plan plan = {
		.file = SHELL,
		.argv = ff_libc_is_before(38) ? without : with_dashes,
		.envp = environ,
		.mask = command->mask,
		.mask_is_set = true,
		.ignore_libc_signals = ff_libc_is_before(38),
	};

	plan.steps[FF_PHASE_ATTRIBUTES] = (struct ff_steps){ &step, 1 };
	return ff_spawn_logged(&plan, NULL, &command->pid, "system", caller);
}

static int run(const char *text, const void *caller)
{
	struct command command = { .pid = -1, .status = -1 };
	int error = (int)-begin(&command);

	if (error) {
		errno = error;
		return -1;
	}
	error = start(text, &command, caller);
	if (!error) {
		pthread_cleanup_push(cancelled, &command);
		if (wait_for(&command) < 0)
			command.status = -1;
		pthread_cleanup_pop(0);
	} else if (ff_libc_is_before(38) ||
		   (error != EAGAIN && error != ENOMEM)) {
		/* as if the shell had failed */
		command.status = EXITED(127);
	}
	end(&command);
	if (error)
		errno = error;
	return command.status;
}

int ff_system(const char *command, const void *caller)
{
	/* Is there a shell? */
	if (!command)
		return run("exit 0", caller) == 0;
	return run(command, caller);
}

void ff_system_reset(void)
{
	lock = (struct ff_spin){ 0 };
}
