/* A cgroup that has room for few processes more, or none. */
#include "around.h"
#include "child.h"
#include "scene.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char group[96];
static int most, now, directory;
static const char *tasks;
static pid_t parent;

static int open_in_group(const char *name, int flags)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? fd : scene_out_of_the_way(fd);
}

static void remove_it(void *unused)
{
	struct timespec a_while = { 0, 50000000 };

	(void)unused;
	/* the session ends, and its terminal hangs up */
	signal(SIGHUP, SIG_IGN);
	while (!kill(parent, 0) || rmdir(group))
		nanosleep(&a_while, NULL);
}

static bool make_group(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/pids",
					     "/sys/fs/cgroup" };

	for (int i = 0; i < 2; i++) {
		snprintf(group, sizeof(group), "%s/fork-fuzz-%d", roots[i],
			 getpid());
		if (mkdir(group, 0755))
			continue;
		most = open_in_group("pids.max", O_WRONLY);
		now = open_in_group("pids.current", O_RDONLY);
		directory = open_in_group("", O_PATH | O_DIRECTORY);
		tasks = i ? "cgroup.threads" : "tasks";
		if (most >= 0 && now >= 0 && directory >= 0)
			return true;
		rmdir(group);
	}
	return false;
}

static bool begin(void)
{
	int procs;

	parent = getpid();
	/* whose threads come and go */
	if (around_has(AROUND_storm) || !make_group())
		return false;
	around_apart(remove_it, NULL);
	procs = open_in_group("cgroup.procs", O_WRONLY);
	MUST(procs >= 0);
	return write(procs, "0", 1) == 1;
}

static void say(const char *text)
{
	MUST(pwrite(most, text, strlen(text), 0) == (ssize_t)strlen(text));
}

static int count(void)
{
	char text[32] = "";

	MUST(pread(now, text, sizeof(text) - 1, 0) > 0);
	return atoi(text);
}

/* Opened anew: the list of a file that stays open may be an old one. A file
 * more may be none that this process may open. */
static int alive(void)
{
	struct rlimit was, more;
	char text[4096];
	ssize_t n = 0;
	int fd, lines = 0;

	getrlimit(RLIMIT_NOFILE, &was);
	more = (struct rlimit){ was.rlim_max, was.rlim_max };
	setrlimit(RLIMIT_NOFILE, &more);
	fd = openat(directory, tasks, O_RDONLY | O_CLOEXEC);
	setrlimit(RLIMIT_NOFILE, &was);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text));
		close(fd);
	}
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

/* What a child has left counts until it is released, which is behind all that
 * can be seen of its end: the next fork would fail, or not, by chance. A
 * command that nobody has waited for counts as well, and is not alive; it is
 * known by being there for long. Who stood in for the parent is alive for a
 * while behind its child: more than were there at first are waited for. */
static int settled(void)
{
	enum {
		A_WHILE = 30,
		LONG = 300,
	};
	static int living_at_first = -1, commands;
	int seen = count(), living = alive();

	for (int same = 0;
	     same < A_WHILE ||
	     (same < LONG &&
	      (seen - living > commands ||
	       (living_at_first >= 0 && living > living_at_first)));
	     same++) {
		int was = seen;

		usleep(1000);
		seen = count();
		living = alive();
		if (seen != was)
			same = 0;
	}
	commands = seen - living;
	living_at_first = living;
	return seen;
}

static void before(struct rng *r)
{
	/* who stands in for a parent is a process, too, and may take the place
	 * of a child's child */
	static const int more[] = { 0, 1, 1, 40 };
	char text[32];

	if (rng_percent(r, 40))
		return;
	snprintf(text, sizeof(text), "%d", settled() + RNG_PICK(r, more));
	say(text);
}

static uint64_t after(void)
{
	say("max");
	return 0;
}

/* Processes of its own, as many as there is room for. */
static long fill(struct rng *r)
{
	unsigned wanted = 1 + rng_below(r, 3), made = 0;
	int pipes[2], status;
	pid_t pid[3];
	char c;

	if (pipe(pipes))
		return step_result(-1);
	for (; made < wanted; made++) {
		pid[made] = fork();
		if (pid[made] < 0)
			break;
		if (pid[made] > 0)
			continue;
		close(pipes[1]);
		_exit(read(pipes[0], &c, 1) != 0);
	}
	child_has_started = true;
	close(pipes[0]);
	close(pipes[1]);
	for (unsigned i = 0; i < made; i++)
		kill(pid[i], SIGKILL);
	for (unsigned i = 0; i < made; i++)
		while (waitpid(pid[i], &status, 0) < 0 && errno == EINTR)
			;
	return made;
}

static const struct step steps[] = { STEP(1, fill), { 0 } };

const struct around around_room = {
	"room", 12, begin, before, NULL, after, steps,
};
