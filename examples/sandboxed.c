/*
 * A sandboxed child: namespaces of its own, no network, limits, no way to
 * more rights, nothing open but its standard descriptors. Where the kernel
 * allows no user namespaces, it says so and ends with status 77.
 *
 *	sandboxed PROGRAM ARGUMENT...
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include <flatfork/flatfork.h>

#define MIB (1024 * 1024UL)

extern char **environ;

static int describe(struct flatfork_spawn *how)
{
	const struct rlimit memory = { 512 * MIB, 512 * MIB };
	const struct rlimit files = { 64, 64 };
	const struct rlimit core = { 0, 0 };

	flatfork_spawn_search_path(how, true);
	flatfork_spawn_no_new_privs(how);
	flatfork_spawn_umask(how, 077);
	flatfork_spawn_nice(how, 10);
	flatfork_spawn_session(how, -1);
	flatfork_spawn_death_signal(how, SIGKILL);
	if (flatfork_spawn_namespaces(
		    how, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
				 CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS) ||
	    flatfork_spawn_map_ids(how, 65534, 65534) ||
	    flatfork_spawn_limit(how, RLIMIT_AS, &memory) ||
	    flatfork_spawn_limit(how, RLIMIT_NOFILE, &files) ||
	    flatfork_spawn_limit(how, RLIMIT_CORE, &core) ||
	    flatfork_spawn_chdir(how, "/") || flatfork_spawn_close_from(how, 3))
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct flatfork_spawn *how = flatfork_spawn_new();
	struct flatfork_child child;
	struct flatfork_error error;
	int status;

	if (argc < 2 || !how || describe(how) < 0) {
		fprintf(stderr, "Usage: sandboxed PROGRAM...\n");
		return 2;
	}
	if (flatfork_start(how, argv[1], argv + 1, environ, &child, &error)) {
		fprintf(stderr, "sandboxed: %s\n", error.text);
		return error.where == FLATFORK_IN_PROCESS ? 77 : 1;
	}
	flatfork_spawn_free(how);
	if (waitpid(child.pid, &status, 0) != child.pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
