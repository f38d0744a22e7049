/*
 * Every errno of posix_spawn, provoked once: it is returned, the pid is not
 * written, no child, descriptor or mapping is left. Argument "thread": from
 * a second thread, another one being busy with its heap.
 *
 * Test:
 * Test: spawn-errors-in-thread thread
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static posix_spawn_file_actions_t fa;
static posix_spawnattr_t at;
static char *argv[] = { "report", "exit", "3", NULL };
static char *big[] = { "report", "exit", "3", NULL, NULL };

static size_t mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	size_t lines = 0;
	int c;

	CHECK(f);
	while ((c = getc(f)) != EOF)
		lines += c == '\n';
	fclose(f);
	return lines;
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static int spawn(const char *path, char *const args[])
{
	pid_t pid = -7;
	int rc = posix_spawn(&pid, path, &fa, &at, args, environ);

	if (!rc) {
		int status;

		CHECK(waitpid(pid, &status, 0) == pid && status == 3 << 8);
	} else {
		CHECK(pid == -7);
	}
	return rc;
}

/* Twice, so that what the first one keeps for later is not a leak. */
static void expect(const char *what, const char *path, char *const args[])
{
	size_t maps = 0;
	int fd = lowest_free(), rc = 0;

	for (int i = 0; i < 3; i++) {
		rc = spawn(path, args);
		CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 &&
		      errno == ECHILD);
		CHECK(lowest_free() == fd);
		if (i == 1)
			maps = mappings();
	}
	CHECK(mappings() == maps || getenv("T_BUSY"));
	printf("%s: %s\n", what, rc ? strerrorname_np(rc) : "started");
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	CHECK(!posix_spawn_file_actions_init(&fa));
	CHECK(!posix_spawnattr_init(&at));
}

static void put_file(const char *name, mode_t mode, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	CHECK(fd >= 0 && !fchmod(fd, mode));
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void from_exec(void)
{
	static char long_name[300], long_path[5000];
	int fd;

	memset(long_name, 'n', sizeof(long_name) - 1);
	memset(long_path, '/', sizeof(long_path) - 1);
	put_file("plain", 0644, "x");
	put_file("text", 0755, "no program\n");
	put_file("empty", 0755, "");
	put_file("orphan", 0755, "#!/nonexistent/sh\n");
	CHECK(!symlink("loop", "loop"));
	expect("missing", "missing", argv);
	expect("no name", "", argv);
	expect("below a file", "plain/x", argv);
	expect("not executable", "./plain", argv);
	expect("directory", "/", argv);
	expect("text", "./text", argv);
	expect("empty file", "./empty", argv);
	expect("no interpreter", "./orphan", argv);
	expect("loop", "./loop", argv);
	expect("long name", long_name, argv);
	expect("long path", long_path, argv);
	big[3] = malloc(256 << 10);
	memset(big[3], 'x', (256 << 10) - 1);
	big[3][(256 << 10) - 1] = 0;
	expect("big argument", t_report, big);
	free(big[3]);
	big[3] = NULL;
	put_file("busy", 0755, "");
	fd = open("busy", O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, "\177ELF", 4) == 4);
	expect("busy", "./busy", argv);
	close(fd);
	expect("a good one", t_report, argv);
}

static void from_actions(void)
{
	struct rlimit old, few;

	posix_spawn_file_actions_adddup2(&fa, 77, 1);
	expect("dup2 of a closed one", t_report, argv);
	posix_spawn_file_actions_addclose(&fa, 77);
	expect("close of a closed one", t_report, argv);
	posix_spawn_file_actions_addfchdir_np(&fa, 0);
	expect("fchdir to a device", t_report, argv);
	posix_spawn_file_actions_addchdir_np(&fa, "missing");
	expect("chdir to nothing", t_report, argv);
	posix_spawn_file_actions_addopen(&fa, 5, "missing", O_RDONLY, 0);
	expect("open of nothing", t_report, argv);
	posix_spawn_file_actions_addopen(&fa, 5, "/", O_WRONLY, 0);
	expect("open to write a directory", t_report, argv);
	posix_spawn_file_actions_addtcsetpgrp_np(&fa, 0);
	expect("tcsetpgrp of a device", t_report, argv);

	CHECK(!getrlimit(RLIMIT_NOFILE, &old));
	posix_spawn_file_actions_addopen(&fa, 9, "/dev/null", O_RDONLY, 0);
	few = old;
	few.rlim_cur = 4;
	CHECK(!setrlimit(RLIMIT_NOFILE, &few));
	expect("open beyond the limit", t_report, argv);
	CHECK(!setrlimit(RLIMIT_NOFILE, &old));
}

/* All numbers below the limit are in use: an open finds none, but one that
 * closes its number first does. */
static void full_table(void)
{
	struct rlimit old, few;
	int fd = dup(0);

	CHECK(!getrlimit(RLIMIT_NOFILE, &old));
	few = old;
	few.rlim_cur = fd + 1;
	posix_spawn_file_actions_addopen(&fa, 99, "/dev/null", O_RDWR, 0);
	CHECK(!setrlimit(RLIMIT_NOFILE, &few));
	printf("no descriptor free: %s\n",
	       strerrorname_np(spawn(t_report, argv)));
	CHECK(!setrlimit(RLIMIT_NOFILE, &old));
	posix_spawn_file_actions_destroy(&fa);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, fd, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_addclose(&fa, fd);
	CHECK(!setrlimit(RLIMIT_NOFILE, &few));
	printf("its own place: %s\n",
	       spawn(t_report, argv) ? "an error" : "started");
	CHECK(!setrlimit(RLIMIT_NOFILE, &old));
	posix_spawn_file_actions_destroy(&fa);
	posix_spawn_file_actions_init(&fa);
	close(fd);
}

static void from_attributes(void)
{
	struct sched_param bad = { 77 };

	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSCHEDULER);
	posix_spawnattr_setschedpolicy(&at, SCHED_OTHER);
	posix_spawnattr_setschedparam(&at, &bad);
	expect("bad priority", t_report, argv);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&at, 1);
	expect("group of another session", t_report, argv);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&at, -1);
	expect("group -1", t_report, argv);
	posix_spawnattr_setflags(&at,
				 POSIX_SPAWN_SETSID | POSIX_SPAWN_SETPGROUP);
	expect("group of a session leader", t_report, argv);
}

/* No memory for a copy of a path of 64 MiB. What a spawn itself needs may be
 * at hand already: that is started, or ENOMEM. */
static void no_memory(void)
{
	struct rlimit old, few;
	static char path[1 << 20];
	char *volatile copy; /* else gcc 16 knows of no malloc() that fails */
	int rc, spawned;

	memset(path, 'x', sizeof(path) - 1);
	CHECK(!getrlimit(RLIMIT_AS, &old));
	spawn(t_report, argv);
	few = old;
	few.rlim_cur = 4096;
	CHECK(!setrlimit(RLIMIT_AS, &few));
	do /* until the heap has no such piece */
		copy = malloc(sizeof(path) + 4096);
	while (copy);
	rc = posix_spawn_file_actions_addopen(&fa, 5, path, O_RDONLY, 0);
	spawned = posix_spawn(&(pid_t){ 0 }, "missing", NULL, NULL, argv,
			      environ);
	CHECK(!setrlimit(RLIMIT_AS, &old));
	printf("no memory: %s, then %s\n", rc ? strerrorname_np(rc) : "taken",
	       spawned == ENOMEM || spawned == ENOENT ? "ENOMEM or as ever" :
							"another error");
}

static void *all(void *arg)
{
	(void)arg;
	CHECK(!posix_spawn_file_actions_init(&fa));
	CHECK(!posix_spawnattr_init(&at));
	from_exec();
	from_actions();
	full_table();
	from_attributes();
	no_memory();
	return NULL;
}

static volatile bool stop;

static void *churn(void *arg)
{
	(void)arg;
	while (!stop) {
		free(malloc(1000 + rand() % 100000));
		sched_yield();
	}
	return NULL;
}

/* RLIMIT_NPROC is for users: a copy of us becomes one. */
static void no_more_processes(void)
{
	pid_t pid = t_fork(), one = -1;
	struct rlimit none = { 0, 0 };

	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(1);
		/* a filter is asked by a process, too, and beforehand */
		CHECK(!posix_spawn(&one, "/bin/true", NULL, NULL, argv,
				   environ) &&
		      waitpid(one, NULL, 0) == one);
		setrlimit(RLIMIT_NPROC, &none);
		printf("as a user with no process left: %s\n",
		       strerrorname_np(spawn("/bin/true", argv)));
		CHECK(waitpid(-1, NULL, WNOHANG) == -1);
		fflush(stdout);
		_exit(0);
	}
	t_reap(pid, "user");
}

int main(int argc, char **args)
{
	bool threads = argc > 1 && !strcmp(args[1], "thread");
	pthread_t thread, other;

	t_start(4);
	CHECK(!posix_spawn_file_actions_init(&fa));
	CHECK(!posix_spawnattr_init(&at));
	no_more_processes();
	if (!threads) {
		all(NULL);
		return t_end();
	}
	setenv("T_BUSY", "1", 1);
	CHECK(!pthread_create(&other, NULL, churn, NULL));
	CHECK(!pthread_create(&thread, NULL, all, NULL));
	CHECK(!pthread_join(thread, NULL));
	stop = true;
	CHECK(!pthread_join(other, NULL));
	return t_end();
}
