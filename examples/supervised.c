/*
 * A supervised child: it is started again when it fails, three times at most,
 * and never outlives its supervisor. It has a session of its own, a log, and
 * is the first to go when memory runs out.
 *
 *	supervised LOG PROGRAM ARGUMENT...
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include <flatfork/flatfork.h>

#define STARTS 3

extern char **environ;

static int describe(struct flatfork_spawn *how, const char *log)
{
	flatfork_spawn_search_path(how, true);
	flatfork_spawn_session(how, -1);
	flatfork_spawn_death_signal(how, SIGKILL);
	if (flatfork_spawn_oom_score(how, 500) ||
	    flatfork_spawn_open(how, 0, "/dev/null", O_RDONLY, 0) ||
	    flatfork_spawn_open(how, 1, log, O_WRONLY | O_CREAT | O_APPEND,
				0600) ||
	    flatfork_spawn_dup2(how, 1, 2) || flatfork_spawn_close_from(how, 3))
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct flatfork_spawn *how = flatfork_spawn_new();
	struct flatfork_child child;
	struct flatfork_error error;
	int n, status = 0;

	if (argc < 3 || !how || describe(how, argv[1]) < 0) {
		fprintf(stderr, "Usage: supervised LOG PROGRAM...\n");
		return 2;
	}
	for (n = 1; n <= STARTS; n++) {
		if (flatfork_start(how, argv[2], argv + 2, environ, &child,
				   &error)) {
			fprintf(stderr, "supervised: %s\n", error.text);
			return 1;
		}
		if (waitpid(child.pid, &status, 0) != child.pid)
			return 1;
		printf("start %d: status %#x\n", n, (unsigned)status);
		if (status == 0)
			break;
	}
	flatfork_spawn_free(how);
	return status != 0;
}
