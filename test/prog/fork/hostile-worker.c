/*
 * A parent with a worker that it forked and that is somebody else by now: it
 * gave up its ids where it could, and writes random bytes into every writable
 * shared mapping that it inherited and into those that it has made since, as
 * fast as it can. Its parent, of all kinds of children, forks on and is none
 * the wiser: the same statuses and bytes as without it. A second worker forks
 * children of its own at the same places before it goes wrong; a third is made
 * where children exec, and has written something by then.
 *
 * The first argument, or T_ROUNDS, is how many rounds of children.
 *
 * Test: -l
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-hostile-worker
 */
#include "t.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	KINDS = 5,
	MAPPINGS = 64
};

static volatile int *ready; /* by the workers; its page is spared */
static int out;

static unsigned char *start_of[MAPPINGS];
static size_t bytes_of[MAPPINGS], mappings;

static void find_shared(void)
{
	char line[512], kind[8];
	unsigned long start, end;
	FILE *maps = fopen("/proc/self/maps", "r");

	CHECK(maps);
	mappings = 0;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, kind) != 3 ||
		    kind[1] != 'w' || kind[3] != 's' ||
		    start == (uintptr_t)ready || mappings == MAPPINGS)
			continue;
		start_of[mappings] = (unsigned char *)start;
		bytes_of[mappings++] = end - start;
	}
	fclose(maps);
}

/* Words that may be numbers of something, addresses, or anything. */
static uint64_t next_word(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	switch (x & 7) {
	case 0:
		return x >> 8 & 3;
	case 1:
		return ~(uint64_t)0;
	case 2:
		return (uintptr_t)t_area + (x >> 8 & 0xfff000);
	case 3:
		return x >> 8 & 0xffff0000ffff0000;
	default:
		return x;
	}
}

static _Noreturn void scribble(uint64_t seed)
{
	find_shared();
	for (;;) {
		for (size_t m = 0; m < mappings; m++)
			for (size_t i = 0; i < bytes_of[m]; i += 8)
				*(uint64_t *)(start_of[m] + i) =
					next_word(&seed);
		__atomic_store_n(ready + 1, 1, __ATOMIC_SEQ_CST);
	}
}

static void become_another(void)
{
	if (geteuid() == 0) {
		CHECK(!setgroups(0, NULL));
		CHECK(!setresgid(65534, 65534, 65534));
		CHECK(!setresuid(61234, 61234, 61234));
	}
	CHECK(!prctl(PR_SET_PDEATHSIG, SIGKILL));
}

static void line(int n)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d\n", n);

	CHECK(write(out, text, len) == len);
}

static void act(int kind, int n)
{
	t_area[(n & 63) * 4096] = 1;
	switch (kind) {
	case 0: /* reads far and wide, execs */
		for (size_t i = 1 << 20; i < t_area_bytes; i += 1 << 20)
			CHECK(t_intact(t_area + i, 8));
		break;
	case 1: /* writes, execs */
		line(n);
		break;
	case 2:
		_exit(20);
	case 3:
		CHECK(t_intact(t_area + (16 << 20), 1 << 20));
		_exit(21);
	default:
		break;
	}
	t_exec_exit(10 + kind);
}

static int statuses[KINDS];

static void round_of_children(int n)
{
	for (int kind = 0; kind < KINDS; kind++) {
		pid_t pid = kind == 4 ? fork() : t_fork();
		int status;

		if (pid == 0)
			act(kind, n);
		CHECK(waitpid(pid, &status, 0) == pid);
		if (n < -5)
			statuses[kind] = status;
		CHECK(status == statuses[kind]);
	}
}

static pid_t worker(bool forks_first)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	if (forks_first)
		for (int i = 0; i < 4; i++)
			round_of_children(i);
	become_another();
	scribble(forks_first ? 20261126 : 4711);
}

/* Where flatfork takes it for one that will exec: born committed, perhaps, and
 * with an image of its own from then on. */
static pid_t worker_that_writes(void)
{
	pid_t pid = t_fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	CHECK(write(out, "w\n", 2) == 2);
	become_another();
	sched_yield();
	scribble(271828);
}

int main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : getenv("T_ROUNDS");
	int rounds = wanted ? atoi(wanted) : 15;
	pid_t bad[3];

	out = open("lines", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	CHECK(out >= 0);
	t_start(48);
	ready = t_shared(4096);
	/* Places are known, and what flatfork shares is there to inherit. */
	for (int i = -6; i < 0; i++)
		round_of_children(i);
	bad[0] = worker(false);
	bad[1] = worker(true);
	bad[2] = worker_that_writes();
	while (!__atomic_load_n(ready + 1, __ATOMIC_SEQ_CST))
		t_sleep_ms(1);
	for (int i = 0; i < rounds; i++)
		round_of_children(i);
	for (int i = 0; i < 3; i++) {
		CHECK(!kill(bad[i], SIGKILL));
		t_reap(bad[i], "worker");
	}
	for (int kind = 0; kind < KINDS; kind++)
		printf("kind %d: status %x\n", kind, statuses[kind]);
	printf("%ld bytes of lines, rounds %d\n", (long)lseek(out, 0, SEEK_END),
	       rounds);
	return t_end();
}
