/*
 * The interposer comes once more, late, by dlopen or in a namespace of its own
 * with a libc of its own (dlmopen): forks by name, forks by the newcomer's
 * names, at once in two threads where that is asked for, and after it has gone
 * again. It does nothing. LOADED is the object; under plain libc it is loaded
 * all the same, and is the only one.
 *
 * Test: -l -e LOADED=$<TARGET_FILE_DIR:prog-report>/loaded-twice.so
 *       loaded-twice-{dlopen,dlmopen} {}
 * Test: -e LOADED=$<TARGET_FILE_DIR:prog-report>/loaded-twice.so
 *       loaded-twice-threads dlopen threads
 */
#include "t.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef pid_t (*fork_function)(void);

static fork_function its_fork;

static void run(const char *when, fork_function make)
{
	for (int i = 0; i < 6; i++) {
		pid_t pid = make();

		if (pid == 0) {
			CHECK(t_intact(t_area, 1 << 20));
			if (i < 3)
				t_exec_exit(i);
			_exit(10 + i);
		}
		CHECK(pid > 0);
		t_reap(pid, when);
	}
}

static void *fork_on(void *arg)
{
	int status;

	for (int i = 0; i < 30; i++) {
		pid_t pid = its_fork();

		if (pid == 0)
			t_exec_exit(5);
		CHECK(waitpid(pid, &status, 0) == pid && status == 5 << 8);
	}
	return arg;
}

/* A child of this thread's needs memory that the other's does without. */
static void fork_beside(void)
{
	int status, bad = 0;
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, fork_on, NULL));
	for (int i = 0; i < 30; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(t_intact(t_area, t_area_bytes / 4) ? 7 : 8);
		CHECK(waitpid(pid, &status, 0) == pid);
		bad += status != 7 << 8;
	}
	CHECK(!pthread_join(thread, NULL));
	printf("beside: %d bad\n", bad);
}

/* It reads its options now, and would leave a file. */
static void *load(const char *how)
{
	const char *path = getenv("LOADED"), *was = getenv("FLATFORK_STATS");
	void *late;

	CHECK(path);
	if (was)
		was = strdup(was);
	CHECK(!setenv("FLATFORK_STATS", "late", 1));
	late = strcmp(how, "dlmopen") ? dlopen(path, RTLD_NOW | RTLD_GLOBAL) :
					dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
	CHECK(late);
	if (was)
		CHECK(!setenv("FLATFORK_STATS", was, 1));
	else
		CHECK(!unsetenv("FLATFORK_STATS"));
	return late;
}

int main(int argc, char **argv)
{
	void *late;

	CHECK(argc > 1);
	t_start(48);
	run("before", fork);
	late = load(argv[1]);
	its_fork = (fork_function)dlsym(late, "fork");
	CHECK(its_fork);
	run("by its name", its_fork);
	run("by name", fork);
	if (argc > 2)
		fork_beside();
	CHECK(!dlclose(late));
	run("after", fork);
	printf("it wrote %s\n", access("late", F_OK) ? "nothing" : "something");
	return t_end();
}
