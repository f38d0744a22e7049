/*
 * Objects of posix_spawn are libc's, whoever makes them and whoever spawns:
 * the program by its own names, by libc's own, found on its handle, and a
 * plugin that binds to libc past everything else. Each fills in a part, each
 * spawns; objects are copied; and some say what only a later libc may know.
 * Arguments: the plugin, and "filter": half of it after a seccomp filter.
 *
 * Test: -k spawns
 *       spawn-foreign-objects $<TARGET_FILE:prog-spawn-plugin>
 * Test: spawn-foreign-under-filter $<TARGET_FILE:prog-spawn-plugin> filter
 */
#include "t.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn-plugin.h"

enum {
	OURS,
	LIBCS,
	PLUGINS,
	WHO
};

static struct spawn_names by[WHO];
static const char *const who[WHO] = { "program", "libc", "plugin" };
static char *fds[] = { "report", "fds", NULL };
static char *state[] = { "report", "pending", NULL };

static void find(const char *plugin)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	void *deep = dlopen(plugin, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	const struct spawn_names *names;

	if (!deep)
		t_skip("no plugin can be loaded so");
	names = dlsym(deep, "spawn_names");
	CHECK(libc && names);
#define X(name)               \
	by[OURS].name = name; \
	by[LIBCS].name = (__typeof__(&(name)))dlsym(libc, #name);
	SPAWN_NAMES(X)
#undef X
	by[PLUGINS] = *names;
}

static void start(const struct spawn_names *f, const char *what,
		  const posix_spawn_file_actions_t *fa,
		  const posix_spawnattr_t *at, char **argv)
{
	pid_t pid = -1;
	int rc;

	printf("%s\n", what);
	fflush(stdout);
	rc = f->posix_spawn(&pid, t_report, fa, at, argv, environ);
	if (rc)
		printf("  %s\n", strerrorname_np(rc));
	else
		t_reap(pid, what);
}

/* Each kind of action, by turns. */
static void fill(posix_spawn_file_actions_t *fa, int first, int second)
{
	const struct spawn_names *f = &by[first], *g = &by[second];

	CHECK(!f->posix_spawn_file_actions_init(fa));
	CHECK(!g->posix_spawn_file_actions_addopen(fa, 5, "/dev/zero", O_RDWR,
						   0));
	CHECK(!f->posix_spawn_file_actions_adddup2(fa, 5, 8));
	CHECK(!g->posix_spawn_file_actions_addclose(fa, 5));
	CHECK(!f->posix_spawn_file_actions_addchdir_np(fa, "/proc"));
	for (int i = 0; i < 20; i++) /* more than one block of them */
		CHECK(!g->posix_spawn_file_actions_adddup2(fa, 8, 20 + i));
	CHECK(!f->posix_spawn_file_actions_addfchdir_np(fa, 9));
	CHECK(!g->posix_spawn_file_actions_addclosefrom_np(fa, 10));
}

static void mixed(int first, int second, int spawns, int frees)
{
	posix_spawn_file_actions_t fa, copy;
	posix_spawnattr_t at, at_copy;
	char what[128];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fill(&fa, first, second);
	CHECK(!by[first].posix_spawnattr_init(&at));
	CHECK(!by[second].posix_spawnattr_setflags(&at,
						   POSIX_SPAWN_SETSIGMASK));
	CHECK(!by[first].posix_spawnattr_setsigmask(&at, &set));
	memcpy(&copy, &fa, sizeof(fa));
	memcpy(&at_copy, &at, sizeof(at));
	memset(&fa, 0x55, sizeof(fa));
	memset(&at, 0x55, sizeof(at));
	snprintf(what, sizeof(what), "%s's, filled by %s, spawned by %s",
		 who[first], who[second], who[spawns]);
	start(&by[spawns], what, &copy, &at_copy, fds);
	start(&by[spawns], "  mask", &copy, &at_copy, state);
	CHECK(!by[frees].posix_spawn_file_actions_destroy(&copy));
	CHECK(!by[frees].posix_spawnattr_destroy(&at_copy));
}

/* A failure is libc's, too: told once, and no child left. */
static void failing(int spawns)
{
	posix_spawn_file_actions_t fa;
	pid_t pid = -1;
	int rc;

	fill(&fa, OURS, OURS);
	CHECK(!by[OURS].posix_spawn_file_actions_adddup2(&fa, 900, 1));
	rc = by[spawns].posix_spawnp(&pid, "sh", &fa, NULL, fds, environ);
	printf("%s: %s\n", who[spawns], strerrorname_np(rc));
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	CHECK(!by[spawns].posix_spawn_file_actions_destroy(&fa));
}

static void names_of_2024(void)
{
	int (*chdir_to)(posix_spawn_file_actions_t *, const char *) =
		(__typeof__(chdir_to))dlsym(
			RTLD_DEFAULT, "posix_spawn_file_actions_addchdir");
	int (*fchdir_to)(posix_spawn_file_actions_t *, int) =
		(__typeof__(fchdir_to))dlsym(
			RTLD_DEFAULT, "posix_spawn_file_actions_addfchdir");
	int (*group)(posix_spawnattr_t *, int) = (__typeof__(group))dlsym(
		RTLD_DEFAULT, "posix_spawnattr_setcgroup_np");
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;

	CHECK(!posix_spawn_file_actions_init(&fa));
	CHECK(!posix_spawnattr_init(&at));
	printf("chdir %d fchdir %d\n", chdir_to ? chdir_to(&fa, "/proc") : -2,
	       fchdir_to ? fchdir_to(&fa, 9) : -2);
	start(&by[OURS], "named anew", &fa, NULL, fds);
	/* 0x100: a cgroup, from 2.39 on */
	printf("setflags %d setcgroup %d\n",
	       posix_spawnattr_setflags(&at, 0x100), group ? group(&at, 0) : 0);
	start(&by[OURS], "no cgroup", NULL, &at, state);
	CHECK(!posix_spawn_file_actions_destroy(&fa));
}

/* What is not known is libc's to do or to leave. */
static void unknown(void)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;

	fill(&fa, OURS, OURS);
	*(int *)(void *)fa.__actions = 77;
	start(&by[OURS], "a kind of action that is none", &fa, NULL, fds);
	*(int *)(void *)fa.__actions = 2;
	fa.__pad[15] = 1;
	start(&by[OURS], "a word more", &fa, NULL, fds);
	CHECK(!posix_spawn_file_actions_destroy(&fa));
	CHECK(!posix_spawnattr_init(&at));
	at.__flags = 0x4000 | POSIX_SPAWN_SETSIGMASK;
	sigaddset(&at.__ss, SIGUSR2);
	start(&by[OURS], "a flag that is none", NULL, &at, state);
	at.__flags = 0;
	((int *)(&at + 1))[-1] = 1;
	start(&by[OURS], "a word of the attributes", NULL, &at, state);
}

static bool filter(void)
{
	static struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K,
						       SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, allow };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t before;
	int root;

	CHECK(argc > 1);
	t_start(4);
	find(argv[1]);
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(dup2(root, 9) == 9 && !close(root));
	fill(&before, OURS, LIBCS);
	if (argc > 2 && !filter())
		t_skip("no filter to be had");
	start(&by[OURS], "made before", &before, NULL, fds);
	CHECK(!by[PLUGINS].posix_spawn_file_actions_destroy(&before));
	for (int i = 0; i < WHO * WHO * WHO; i++)
		mixed(i % WHO, i / WHO % WHO, i / WHO / WHO, i % WHO);
	for (int i = 0; i < WHO; i++)
		failing(i);
	names_of_2024();
	unknown();
	close(9);
	return t_end();
}
