/*
 * popen(3) and pclose(3): an ordinary stream on a pipe, and a list that says
 * which process is at its other end.
 *
 * Hazards:
 * H-S16 POSIX: a child closes the streams of earlier popen calls. The list is
 *       locked from when it is read until the new stream is in it.
 * H-S17 libc's fclose waits for the child of such a stream as pclose does: the
 *       interposer hands both in here. A stream that is not in the list is
 *       libc's. freopen is left alone: libc 2.36 crashes in it, given such a
 *       stream.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/libc.h"
#include "host/signals.h"
#include "host/spin.h"
#include "spawn/posix.h"
#include "spawn/shell.h"
#include "spawn/spawn.h"

#define SHELL "/bin/sh"

struct stream {
	FILE *file;
	pid_t pid;
	int fd;
	struct stream *next;
};

static struct ff_spin lock;
static struct stream *_Atomic list;

struct mode {
	bool reads;
	bool close_on_exec;
};

static int parse_mode(const char *text, struct mode *ret_mode)
{
	bool reads = false, writes = false, close_on_exec = false;

	for (; *text; text++) {
		if (*text == 'r')
			reads = true;
		else if (*text == 'w')
			writes = true;
		else if (*text == 'e')
			close_on_exec = true;
		else
			return EINVAL;
	}
	if (reads == writes)
		return EINVAL;
	*ret_mode = (struct mode){ reads, close_on_exec };
	return 0;
}

/* The child's end on its standard number, and not the earlier streams. */
static int describe(struct ff_actions *actions, int end, int standard)
{
	struct ff_step step = { .kind = FF_STEP_DUP2,
				.fd = end,
				.number = standard };
	int error = ff_actions_add(actions, &step);
	struct stream *s;

	for (s = list; s && !error; s = s->next) {
		step = (struct ff_step){ .kind = FF_STEP_CLOSE, .fd = s->fd };
		if (s->fd != standard)
			error = ff_actions_add(actions, &step);
	}
	return error;
}

static int start(const char *text, int end, int standard, struct stream *s,
		 const void *caller)
{
	char *with_dashes[] = { "sh", "-c", "--", (char *)text, NULL };
	char *without[] = { "sh", "-c", (char *)text, NULL };
	struct ff_plan plan = {
		.file = SHELL,
		.argv = ff_libc_is_before(38) ? without : with_dashes,
		.envp = environ,
		.ignore_libc_signals = ff_libc_is_before(38),
		.mask_is_set = true,
	};
	struct ff_actions actions = { NULL, 0, 0 };
	int error;

	plan.mask = ff_block_signals();
	ff_spin_lock(&lock);
	error = describe(&actions, end, standard);
	if (!error) {
		plan.steps[FF_PHASE_ACTIONS] =
			(struct ff_steps){ actions.step, actions.count };
		error = ff_spawn_logged(&plan, NULL, &s->pid, "popen", caller);
	}
	if (!error) {
		s->next = list;
		list = s;
	}
	ff_spin_unlock(&lock);
	ff_setmask(plan.mask);
	ff_actions_free(&actions);
	return error;
}

/* Both ends close-on-exec; the child's is not the number it is to get, which
 * then could not be passed on without a moment in which others inherit it. */
static int make_pipe(int fd[2], int child_end, int standard)
{
	int other;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return errno;
	if (fd[child_end] != standard)
		return 0;
	other = fcntl(standard, F_DUPFD_CLOEXEC, 0);
	if (other < 0) {
		other = errno;
		close(fd[0]);
		close(fd[1]);
		return other;
	}
	close(standard);
	fd[child_end] = other;
	return 0;
}

static FILE *open_stream(const char *command, const struct mode *mode,
			 struct stream *s, int *ret_error, const void *caller)
{
	int ours = mode->reads ? 0 : 1, fd[2];

	*ret_error = make_pipe(fd, 1 - ours, mode->reads ? 1 : 0);
	if (*ret_error)
		return NULL;
	s->fd = fd[ours];
	s->file = fdopen(s->fd, mode->reads ? "r" : "w");
	if (!s->file) {
		*ret_error = errno;
		close(fd[0]);
		close(fd[1]);
		return NULL;
	}
	*ret_error =
		start(command, fd[1 - ours], mode->reads ? 1 : 0, s, caller);
	close(fd[1 - ours]);
	if (*ret_error) {
		fclose(s->file);
		if (ff_libc_is_before(38))
			*ret_error = ENOMEM; /* libc said nothing else */
		return NULL;
	}
	if (!mode->close_on_exec)
		fcntl(s->fd, F_SETFD, 0);
	return s->file;
}

FILE *ff_popen(const char *command, const char *text, const void *caller)
{
	struct stream *s;
	struct mode mode;
	FILE *file;
	int error = parse_mode(text, &mode);

	if (error) {
		errno = error;
		return NULL;
	}
	s = malloc(sizeof(*s));
	if (!s)
		return NULL;
	file = open_stream(command, &mode, s, &error, caller);
	if (!file) {
		free(s);
		errno = error;
	}
	return file;
}

bool ff_is_popened(FILE *stream)
{
	ff_sigset mask;
	struct stream *s;

	if (!atomic_load_explicit(&list, memory_order_relaxed))
		return false;
	mask = ff_block_signals();
	ff_spin_lock(&lock);
	for (s = list; s && s->file != stream; s = s->next)
		;
	ff_spin_unlock(&lock);
	ff_setmask(mask);
	return s != NULL;
}

/* Out of the list; its pid. */
static pid_t detach(FILE *stream)
{
	ff_sigset mask = ff_block_signals();
	struct stream *s, *before = NULL;
	pid_t pid = -1;

	ff_spin_lock(&lock);
	for (s = list; s && s->file != stream; s = s->next)
		before = s;
	if (s) {
		pid = s->pid;
		if (before)
			before->next = s->next;
		else
			list = s->next;
	}
	ff_spin_unlock(&lock);
	ff_setmask(mask);
	free(s);
	return pid;
}

static int wait_for(pid_t pid)
{
	int status;
	long got;

	/* A raw call: pclose is no place to be cancelled. */
	do
		got = sys(wait4, pid, &status, 0, NULL);
	while (got == -EINTR);
	if (got == pid)
		return status;
	errno = (int)-got;
	return -1;
}

int ff_pclose(FILE *stream, int (*close)(FILE *))
{
	pid_t pid = detach(stream);
	int written, status;

	written = close(stream);
	status = wait_for(pid);
	return status ? status : written;
}

void ff_popen_reset(void)
{
	lock = (struct ff_spin){ 0 };
}
