/* See ways.h. What is made before a spawn, and freed after it, is not asked to
 * fail: those are calls of malloc's. */
#include "ways.h"
#include "scene.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "flatfork/flatfork.h"

bool ways_fail;

static char *argv[] = { "name", "one two", NULL };
static char *envp[] = { "A=1", "B=", NULL };

static void on(void)
{
	if (ways_fail)
		inject_on(inject->side, inject->nth, inject->which);
}

static void off(void)
{
	if (ways_fail)
		inject_off();
}

/* ---- posix_spawn and its like ---- */

typedef int spawn_function(int *ret, const char *path,
			   const posix_spawn_file_actions_t *fa,
			   const posix_spawnattr_t *at, char *const argv[],
			   char *const envp[]);

static posix_spawn_file_actions_t fa;
static posix_spawnattr_t at;

static void make(short flags)
{
	const struct sched_param zero = { .sched_priority = 0 };
	sigset_t set;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	posix_spawnattr_setflags(&at, flags);
	posix_spawnattr_setschedpolicy(&at, SCHED_BATCH);
	posix_spawnattr_setschedparam(&at, &zero);
	posix_spawnattr_setpgroup(&at, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGKILL);
	posix_spawnattr_setsigdefault(&at, &set);
	sigaddset(&set, SIGHUP);
	posix_spawnattr_setsigmask(&at, &set);
}

static int spawn(spawn_function *f, int *ret, const char *path)
{
	int rc;

	on();
	rc = f(ret, path, &fa, &at, argv, envp);
	off();
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	return rc;
}

static int plain(int *ret)
{
	int rc;

	on();
	rc = posix_spawn(ret, "witness", NULL, NULL, argv, envp);
	off();
	return rc;
}

static int rich(int *ret)
{
	make(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
	     POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSCHEDULER |
	     POSIX_SPAWN_RESETIDS);
	posix_spawn_file_actions_addopen(&fa, 5, "file", O_RDWR, 0);
	posix_spawn_file_actions_addopen(&fa, FD_FILE, "/dev/null", O_RDONLY,
					 0);
	posix_spawn_file_actions_adddup2(&fa, 5, 6);
	posix_spawn_file_actions_adddup2(&fa, FD_DIRECTORY, FD_DIRECTORY);
	posix_spawn_file_actions_addclose(&fa, 5);
	posix_spawn_file_actions_addclose(&fa, 11);
	posix_spawn_file_actions_addfchdir_np(&fa, FD_DIRECTORY);
	posix_spawn_file_actions_addchdir_np(&fa, "..");
	posix_spawn_file_actions_addtcsetpgrp_np(&fa, FD_TERMINAL);
	return spawn(posix_spawn, ret, "./witness");
}

static int closing(int *ret)
{
	make(0x80 | POSIX_SPAWN_SETSCHEDPARAM);
	posix_spawn_file_actions_adddup2(&fa, FD_FILE, 4);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&fa, 5);
	posix_spawn_file_actions_adddup2(&fa, 4, 8);
	setenv("PATH", "missing:sub:.", 1);
	return spawn(posix_spawnp, ret, "witness");
}

/* What stands before the closefrom needs a copy. */
static int closing_late(int *ret)
{
	make(POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_addopen(&fa, 4, "file", O_RDONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&fa, 5);
	return spawn(posix_spawn, ret, "witness");
}

static int pidfd(int *ret)
{
	make(POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_adddup2(&fa, FD_FILE, 4);
	return spawn((spawn_function *)dlsym(RTLD_DEFAULT, "pidfd_spawn"), ret,
		     "witness");
}

static int pidfd_closing(int *ret)
{
	make(POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	setenv("PATH", "sub:.", 1);
	return spawn((spawn_function *)dlsym(RTLD_DEFAULT, "pidfd_spawnp"), ret,
		     "witness");
}

static int reset_ids(int *ret)
{
	make(POSIX_SPAWN_RESETIDS);
	return spawn(posix_spawn, ret, "witness");
}

static void other_ids(void)
{
	if (setresgid((gid_t)-1, 65534, (gid_t)-1) ||
	    setresuid((uid_t)-1, 65534, (uid_t)-1))
		_exit(77);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* ---- the linked library ---- */

static int start(struct flatfork_spawn *how, int *ret)
{
	struct flatfork_child child = { -1, -1 };
	struct flatfork_error error = { .error = 0 };
	int rc;

	on();
	rc = flatfork_start(how, "./witness", argv, envp, &child, &error);
	off();
	flatfork_spawn_free(how);
	if (rc)
		return rc == error.error && *error.text ? rc : -1;
	*ret = child.pidfd >= 0 ? child.pidfd : child.pid;
	return 0;
}

static int linked_plain(int *ret)
{
	return start(NULL, ret);
}

static void add_attributes(struct flatfork_spawn *how)
{
	const struct rlimit limit = { 123, 4567 };
	const gid_t groups[] = { 3, 4 };
	sigset_t set;
	cpu_set_t cpu;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	flatfork_spawn_signals_default(how, &set);
	flatfork_spawn_signal_mask(how, &set);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	flatfork_spawn_signals_ignore(how, &set);
	sched_getaffinity(0, sizeof(cpu), &cpu);
	flatfork_spawn_affinity(how, sizeof(cpu), &cpu);
	flatfork_spawn_scheduler(how, SCHED_BATCH, 0);
	flatfork_spawn_nice(how, 3);
	flatfork_spawn_ioprio(how, 2 << 13 | 5);
	flatfork_spawn_oom_score(how, 500);
	flatfork_spawn_umask(how, 077);
	flatfork_spawn_limit(how, RLIMIT_CORE, &limit);
	if (geteuid() == 0) {
		flatfork_spawn_groups(how, 2, groups);
		flatfork_spawn_gid(how, 65534);
		flatfork_spawn_uid(how, 65534);
	}
	flatfork_spawn_no_new_privs(how);
	flatfork_spawn_death_signal(how, SIGTERM);
}

static int linked_rich(int *ret)
{
	/* a ring: one has to be moved aside */
	static const struct flatfork_fd map[] = { { FD_FILE, 4 },
						  { 4, FD_FILE },
						  { FD_TERMINAL, 10 } };
	struct flatfork_spawn *how = flatfork_spawn_new();

	add_attributes(how);
	flatfork_spawn_pidfd(how, true);
	flatfork_spawn_process_group(how, 0);
	flatfork_spawn_map(how, map, 3, true);
	flatfork_spawn_foreground(how, 10);
	return start(how, ret);
}

static int linked_session(int *ret)
{
	struct flatfork_spawn *how = flatfork_spawn_new();

	flatfork_spawn_session(how, -1);
	flatfork_spawn_reset_ids(how);
	flatfork_spawn_search_path(how, true);
	flatfork_spawn_close_from(how, 3);
	return start(how, ret);
}

static int linked_namespaces(int *ret)
{
	struct flatfork_spawn *how = flatfork_spawn_new();

	flatfork_spawn_namespaces(how, CLONE_NEWUSER | CLONE_NEWUTS);
	flatfork_spawn_map_ids(how, 5, 6);
	return start(how, ret);
}

const struct way ways[] = {
	{ "posix_spawn", plain, NULL, false, false, true },
	{ "posix_spawn, attributes and actions", rich, NULL, false, false,
	  true },
	{ "posix_spawnp, closefrom", closing, NULL, false, false, true },
	{ "posix_spawn, late closefrom", closing_late, NULL, false, false,
	  true },
	{ "posix_spawn, other ids", reset_ids, other_ids, false, false, true },
	{ "pidfd_spawn", pidfd, NULL, true, false, true },
	{ "pidfd_spawnp, closefrom", pidfd_closing, NULL, true, false, true },
	{ "flatfork_start", linked_plain, NULL, false, false, false },
	{ "flatfork_start, everything", linked_rich, NULL, true, false, false },
	{ "flatfork_start, session", linked_session, NULL, false, false,
	  false },
	{ "flatfork_start, namespaces", linked_namespaces, NULL, false, true,
	  false },
};
const unsigned ways_count = sizeof(ways) / sizeof(*ways);
