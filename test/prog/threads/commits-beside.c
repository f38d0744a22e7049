/*
 * Children write before they exec, so that they are born committed, while other
 * threads of their parent
 *  map     and unmap memory, each time at the same place, of the same length
 *  grow    and shrink big blocks, which realloc() moves
 *  cut     memory in pieces, by what may be done with it
 *  fork    children of the same kind
 *  wait    for children of any kind, and find none but their own
 * Each child finds the memory of the thread that forked, and says so.
 *
 * Test: -b 20000 -g "lazy, committed: child exec'ed" -e FLATFORK_LEND=off
 *       commits-beside-{map,grow,cut,fork,wait} {}
 */
#include "t.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FORKS = 40,
	MIB = 1 << 20
};

static volatile int done;

static void *map(void *arg)
{
	(void)arg;
	while (!done) {
		char *p = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(p != MAP_FAILED);
		for (int i = 0; i < 4 * MIB; i += 65536)
			p[i] = 1;
		CHECK(!munmap(p, 4 * MIB));
	}
	return NULL;
}

static void *grow(void *arg)
{
	char *p = malloc(2 * MIB);

	(void)arg;
	for (size_t mib = 2; !done; mib = mib % 9 + 2) {
		p = realloc(p, mib * MIB);
		CHECK(p);
		p[0] = p[mib * MIB - 1] = 1;
	}
	free(p);
	return NULL;
}

static void *cut(void *arg)
{
	char *p = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	CHECK(p != MAP_FAILED);
	memset(p, 1, 8 * MIB);
	while (!done) {
		CHECK(!mprotect(p + MIB, 2 * MIB, PROT_READ));
		CHECK(!mprotect(p + MIB, 2 * MIB, PROT_READ | PROT_WRITE));
	}
	CHECK(!munmap(p, 8 * MIB));
	return NULL;
}

/* Says what it finds, and execs. */
static bool one_child(void)
{
	char said[8] = { 0 };
	int p[2], status;
	pid_t pid;

	CHECK(!pipe2(p, O_CLOEXEC));
	pid = t_fork();
	if (pid == 0) {
		if (!t_intact(t_area + MIB, MIB) ||
		    !t_intact(t_block(100), T_BLOCK))
			_exit(50);
		CHECK(write(p[1], "good", 5) == 5);
		t_exec_exit(6);
	}
	close(p[1]);
	CHECK(read(p[0], said, sizeof(said)) == 5);
	close(p[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	return !strcmp(said, "good") && status == 6 << 8;
}

static void *forks(void *arg)
{
	long bad = 0;

	(void)arg;
	for (int i = 0; i < FORKS; i++)
		bad += !one_child();
	return (void *)bad;
}

static void *waits(void *arg)
{
	long bad = 0;

	(void)arg;
	while (!done) {
		siginfo_t info = { 0 };

		/* A child is there, or not; none has ended by a signal. */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid)
			bad += info.si_code != CLD_EXITED ||
			       info.si_status != 6;
	}
	return (void *)bad;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void *(*run)(void *);
	} roles[] = {
		{ "map", map },	    { "grow", grow },	{ "cut", cut },
		{ "fork", forks }, { "wait", waits },
	};
	void *(*role)(void *) = NULL, *result;
	pthread_t t[2];
	long bad = 0;

	for (size_t i = 0; argc > 1 && i < sizeof(roles) / sizeof(roles[0]);
	     i++)
		if (!strcmp(argv[1], roles[i].name))
			role = roles[i].run;
	CHECK(role);
	t_start(32);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, role, NULL));
	bad += (long)forks(NULL);
	done = 1;
	for (int i = 0; i < 2; i++) {
		CHECK(!pthread_join(t[i], &result));
		bad += (long)result;
	}
	printf("%d children, %ld bad\n", FORKS, bad);
	return t_end();
}
