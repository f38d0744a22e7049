/* Children are born into another namespace of processes: their numbers there
 * are not those that their parent knows them by. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready[2];
static pid_t parent;

/* With an init, which lives as long as our parent. */
static void keep_namespace(void *unused)
{
	pid_t me = getpid(), init;

	(void)unused;
	if (unshare(CLONE_NEWPID))
		me = 0;
	init = me ? fork() : -1;
	if (init == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		for (;;)
			pause();
	}
	if (init < 0)
		me = 0;
	MUST(write(ready[1], &me, sizeof(me)) == sizeof(me));
	while (me && !kill(parent, 0))
		usleep(20000);
}

static bool begin(void)
{
	char path[64];
	pid_t keeper = 0;
	bool entered;
	int fd;

	parent = getpid();
	MUST(!pipe2(ready, O_CLOEXEC));
	around_apart(keep_namespace, NULL);
	MUST(read(ready[0], &keeper, sizeof(keeper)) == sizeof(keeper));
	close(ready[0]);
	close(ready[1]);
	if (!keeper)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", keeper);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	MUST(fd >= 0);
	entered = !setns(fd, CLONE_NEWPID);
	close(fd);
	return entered;
}

static long ask(struct rng *r)
{
	(void)r;
	return getppid() * 100 + (getpid() == gettid()) * 10 +
	       (getpid() < parent);
}

static const struct step steps[] = { QUIET(1, ask), { 0 } };

const struct around around_namespace = {
	"namespace", 8, begin, NULL, NULL, NULL, steps,
};
