/* See forks.h. Each way forks at a place of its own, which is known by its
 * return address. Children make calls of their own, which may fail, too. */
#include "forks.h"
#include "child.h"
#include "scene.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/wait.h>

enum {
	FD_LISTENER = 34
};

/* ---- the ways ---- */

static pid_t on_trial(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_change_itself();
		child_start("./witness");
	}
	return pid;
}

static pid_t beside_a_thread(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_change_itself();
		child_start("./witness");
	}
	return pid;
}

static pid_t taken_back(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_look_here_and_there();
		child_say();
		child_start("./witness");
	}
	return pid;
}

static pid_t committed(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_say();
		child_change_itself();
		child_start("./witness");
	}
	return pid;
}

static pid_t blocks(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_say();
		child_wait_for_go();
		child_look_everywhere();
		child_start("./witness");
	}
	return pid;
}

static pid_t computes(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_say();
		child_spin();
		child_change_itself();
		child_start("./witness");
	}
	return pid;
}

static pid_t in_exec(void)
{
	pid_t pid = fork();

	if (pid == 0)
		child_start("./slow");
	return pid;
}

/* Its parent itself has to permit the exec. Of a copy: nobody else is asked. */
static bool listen_to_execs(void)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);

	forks_pipes();
	if (fd < 0 || fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM,
				    AT_FDCWD, "slow"))
		return false;
	MUST(dup3(fd, FD_LISTENER, O_CLOEXEC) == FD_LISTENER);
	close(fd);
	return true;
}

static void permit(void)
{
	struct pollfd p = { .fd = FD_LISTENER, .events = POLLIN };
	struct fanotify_event_metadata event;
	struct fanotify_response yes;

	/* a child whose execve failed asks for nothing */
	while (poll(&p, 1, 10) == 0)
		if (waitid(P_ALL, 0, &(siginfo_t){ 0 },
			   WEXITED | WNOHANG | WNOWAIT))
			return;
	MUST(read(FD_LISTENER, &event, sizeof(event)) > 0);
	yes = (struct fanotify_response){ event.fd, FAN_ALLOW };
	MUST(write(FD_LISTENER, &yes, sizeof(yes)) == sizeof(yes));
	close(event.fd);
}

#define ONE_LAZY                   \
	{                          \
		[INJECT_BY_US] = 1 \
	}

const struct fork_way fork_ways[] = {
	{ .name = "on trial",
	  .fork = on_trial,
	  .prepare = forks_pipes,
	  .made = ONE_LAZY },
	{ .name = "taken back",
	  .fork = taken_back,
	  .prepare = forks_pipes,
	  .made = { [INJECT_BY_US] = 1, [INJECT_BY_LIBC] = 1 },
	  .writes = true },
	{ .name = "committed",
	  .fork = committed,
	  .prepare = forks_pipes,
	  .proofs = 2,
	  .made = ONE_LAZY,
	  .writes = true },
	{ .name = "let go",
	  .fork = blocks,
	  .let = forks_let_read,
	  .prepare = forks_pipes,
	  .proofs = 2,
	  .made = ONE_LAZY,
	  .writes = true,
	  .may_be_slow = true },
	{ .name = "beside a thread",
	  .fork = beside_a_thread,
	  .prepare = forks_thread,
	  .made = ONE_LAZY },
	{ .name = "stand-in",
	  .fork = computes,
	  .let = forks_let_spin,
	  .prepare = forks_pipes,
	  .proofs = 2,
	  .made = { [INJECT_BY_US] = 1, [INJECT_STANDINS] = 1 },
	  .group = FORKS_BY_BUDGET,
	  .writes = true },
	{ .name = "stand-in, in exec",
	  .fork = in_exec,
	  .let = permit,
	  .prepare = listen_to_execs,
	  .made = { [INJECT_BY_US] = 1, [INJECT_STANDINS] = 1 },
	  .group = FORKS_BY_BUDGET,
	  .hangs = true },
};
const unsigned fork_ways_count = sizeof(fork_ways) / sizeof(*fork_ways);
