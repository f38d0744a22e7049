/*
 * What the program keeps from its children, by whatever way it says so and
 * wherever the memory goes; and that no memory is kept from them that it did
 * not say so of. Argument: the case.
 *
 * Test: -l -e FLATFORK_LEND=off marks-CASE CASE
 */
#include "cases.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

#define MIB ((size_t)1 << 20)
#define RW (PROT_READ | PROT_WRITE)

/* How many mappings of @bytes and more in [start, end) have @flag? */
static int count_big(uintptr_t start, uintptr_t end, size_t bytes,
		     const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long from, to;
	bool inside = false;
	char line[512];
	int has = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from < end && start < to && to - from >= bytes;
		if (inside && !strncmp(line, "VmFlags:", 8))
			has += strstr(line, flag) != NULL;
	}
	fclose(f);
	return has;
}

static int count_flag(uintptr_t start, uintptr_t end, const char *flag)
{
	return count_big(start, end, MIB, flag);
}

static bool has_flag(const void *at, const char *flag)
{
	return count_flag((uintptr_t)at, (uintptr_t)at + 1, flag);
}

static int count_mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	int c, lines = 0;

	CHECK(f);
	while ((c = getc(f)) != EOF)
		lines += c == '\n';
	fclose(f);
	return lines;
}

static int advise_by_hand(void *at, size_t bytes, int advice)
{
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "0"(SYS_madvise), "D"(at), "S"(bytes), "d"(advice)
			 : "rcx", "r11", "memory");
	return (int)rc;
}

static int advise_by_syscall(void *at, size_t bytes, int advice)
{
	return (int)syscall(SYS_madvise, at, bytes, advice);
}

/* By a descriptor of this process, in two pieces (Linux 6.13). */
static int advise_as_another(void *at, size_t bytes, int advice)
{
	const struct iovec v[] = { { at, MIB },
				   { (char *)at + MIB, bytes - MIB } };
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	long rc = syscall(SYS_process_madvise, fd, v, 2L, advice, 0L);

	close(fd);
	if (rc < 0)
		t_skip("the kernel takes no such advice of a process");
	return rc == (long)bytes ? 0 : -1;
}

static char *move(char *from, size_t bytes)
{
	char *to = mmap(NULL, bytes + 8 * MIB, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(to != MAP_FAILED);
	to = mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
		    to + 4 * MIB);
	CHECK(to != MAP_FAILED);
	return to;
}

static const char *there_or_wiped(const char *at)
{
	static const char zeros[64];

	return memcmp(at, zeros, sizeof(zeros)) ? "there" : "wiped";
}

static const char *seen(char *at)
{
	unsigned char core;

	if (mincore(at, 4096, &core))
		return "absent";
	return there_or_wiped(at);
}

static const char *seen_on_trial(char *at)
{
	if (msync((void *)((uintptr_t)at & ~(uintptr_t)4095), 4096, MS_ASYNC))
		return "absent";
	return there_or_wiped(at);
}

static void look(char *at, size_t bytes, const char *flag)
{
	pid_t pid;

	printf("flag %d\n", has_flag(at, flag));
	for (int i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_say("%s, %s", seen_on_trial(at),
				   seen_on_trial(at + bytes - 4096));
		t_reap(pid, "child on trial");
		/* A call that no child on trial may make. */
		pid = t_fork();
		if (pid == 0)
			t_exec_say("%s, %s", seen(at), seen(at + bytes - 4096));
		t_reap(pid, "child");
	}
	printf("flag %d %d\n", has_flag(at, flag),
	       has_flag(at + bytes - 4096, flag));
}

/* Each of a small one, a big one, and one that may have huge pages. */
static void advise_and_look(int (*advise)(void *, size_t, int), int advice,
			    bool moved)
{
	static const size_t sizes[] = { 2 * MIB, 5 * MIB + 4096, 16 * MIB };
	const char *flag = advice == MADV_DONTFORK ? " dc" : " wf";
	char *at;

	for (size_t i = 0; i < 3; i++) {
		at = mmap(NULL, sizes[i], RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);
		CHECK(at != MAP_FAILED);
		memset(at, 7, sizes[i]);
		CHECK(!advise(at, sizes[i], advice));
		if (moved)
			at = move(at, sizes[i]);
		look(at, sizes[i], flag);
		CHECK(!munmap(at, sizes[i]));
	}
}

CASE(dontfork_moves)
{
	advise_and_look(madvise, MADV_DONTFORK, true);
}

CASE(wipe_moves)
{
	advise_and_look(madvise, MADV_WIPEONFORK, true);
}

CASE(dontfork_by_hand)
{
	advise_and_look(advise_by_hand, MADV_DONTFORK, false);
}

CASE(wipe_by_hand)
{
	advise_and_look(advise_by_hand, MADV_WIPEONFORK, true);
}

CASE(dontfork_by_syscall)
{
	advise_and_look(advise_by_syscall, MADV_DONTFORK, false);
}

CASE(dontfork_as_another)
{
	advise_and_look(advise_as_another, MADV_DONTFORK, false);
}

static void *sleep_on(void *unused);
static volatile int stop;

static void advise_with_threads(int advice, int undo)
{
	char *at = t_anon(16 * MIB);
	pthread_t t;

	CHECK(!pthread_create(&t, NULL, sleep_on, NULL));
	CHECK(!advise_as_another(at, 16 * MIB, advice));
	look(at, 16 * MIB, advice == MADV_DONTFORK ? " dc" : " wf");
	CHECK(!advise_as_another(at, 16 * MIB, undo));
	look(at, 16 * MIB, advice == MADV_DONTFORK ? " dc" : " wf");
	stop = 1;
	pthread_join(t, NULL);
	munmap(at, 16 * MIB);
}

CASE(dontfork_as_another_with_threads)
{
	advise_with_threads(MADV_DONTFORK, MADV_DOFORK);
}

CASE(wipe_as_another_with_threads)
{
	advise_with_threads(MADV_WIPEONFORK, MADV_KEEPONFORK);
}

/* Nothing stays cut in pieces. */
CASE(whole)
{
	int before = 0;
	pid_t pid;

	for (int i = 0; i < 30; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(0);
		CHECK(waitpid(pid, NULL, 0) == pid);
		if (i == 3)
			before = count_mappings();
	}
	printf("%d more\n", count_mappings() - before);
}

static volatile int failed;
static char *block;

/* What the others do must not make it fail. */
static void *grow_and_shrink(void *unused)
{
	char *at;

	(void)unused;
	while (!stop) {
		at = mremap(block, 4 * MIB, 8 * MIB, MREMAP_MAYMOVE);
		if (at == MAP_FAILED) {
			failed++;
			continue;
		}
		block = at;
		at[5 * MIB] = 1;
		at = mremap(block, 8 * MIB, 4 * MIB, 0);
		failed += at != block;
	}
	return NULL;
}

/* realloc() of a block that is a mapping moves that, past everybody. */
static void *grow_and_shrink_by_realloc(void *unused)
{
	char *held = malloc(4 * MIB);

	(void)unused;
	while (!stop) {
		held[MIB] = 1;
		held = realloc(held, 8 * MIB);
		CHECK(held && held[MIB] == 1);
		held[7 * MIB] = 1;
		held = realloc(held, 4 * MIB);
		CHECK(held && held[MIB] == 1);
	}
	free(held);
	return NULL;
}

static void beside(void *(*other)(void *), int forks, int own)
{
	int left = 0, absent = 0, status;
	unsigned char core;
	pthread_t t;
	pid_t pid;

	block = t_anon(4 * MIB);
	CHECK(!pthread_create(&t, NULL, other, NULL));
	for (int i = 0; i < forks; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(0);
		CHECK(waitpid(pid, NULL, 0) == pid);
		left += count_flag(0, UINTPTR_MAX, " dc") != own;
	}
	stop = 1;
	pthread_join(t, NULL);
	fflush(NULL);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(mincore(block, 4096, &core) ||
		      mincore(block + 4 * MIB - 4096, 4096, &core));
	CHECK(waitpid(pid, &status, 0) == pid);
	absent = status != 0;
	printf("marks left %d, absent %d, failed %d\n", left, absent, failed);
	munmap(block, 4 * MIB);
}

CASE(beside_mremap)
{
	beside(grow_and_shrink, 200, 0);
}

CASE(beside_realloc)
{
	beside(grow_and_shrink_by_realloc, 200, 0);
}

/* Marks of the program's own, and threads that move memory. */
static void beside_own(void *(*other)(void *))
{
	char *own = t_anon(4 * MIB);

	CHECK(!madvise(own, 4 * MIB, MADV_DONTFORK));
	beside(other, 20, 1);
	printf("own %d\n", has_flag(own, " dc"));
	munmap(own, 4 * MIB);
}

/* Test: marks-CASE CASE */
CASE(own_beside_mremap)
{
	beside_own(grow_and_shrink);
}

/* Test: marks-CASE CASE */
CASE(own_beside_realloc)
{
	beside_own(grow_and_shrink_by_realloc);
}

static void *sleep_on(void *unused)
{
	(void)unused;
	while (!stop)
		usleep(1000);
	return NULL;
}

static void fork_and_reap(int forks)
{
	pid_t pid;

	for (int i = 0; i < forks; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(0);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
}

/* Nor is the advice of a library's on memory of its own taken away. */
CASE(of_libraries)
{
	char *own = t_anon(4 * MIB);
	pthread_t t;
	int before;

	fork_and_reap(2);
	before = count_big(0, UINTPTR_MAX, 4096, " wf");
	CHECK(!madvise(own, 4 * MIB, MADV_DONTFORK));
	CHECK(!pthread_create(&t, NULL, sleep_on, NULL));
	fork_and_reap(3);
	printf("%d more wiped\n",
	       count_big(0, UINTPTR_MAX, 4096, " wf") - before);
	stop = 1;
	pthread_join(t, NULL);
	munmap(own, 4 * MIB);
}

/* realloc() moves it, past everybody. */
static char *move_by_realloc(char *block_of_malloc, size_t bytes)
{
	char *to = realloc(block_of_malloc, 64 * bytes);

	CHECK(to);
	return to;
}

static char *above(char *malloced)
{
	return (char *)(((uintptr_t)malloced + 4095) & ~(uintptr_t)4095);
}

/* With threads, memory cannot be asked about; all ways at once. */
CASE(threads_own)
{
	char *at[5], *held = malloc(3 * MIB);
	pthread_t t;

	CHECK(!pthread_create(&t, NULL, sleep_on, NULL));
	for (int i = 0; i < 5; i++) {
		at[i] = mmap(NULL, 4 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		CHECK(at[i] != MAP_FAILED);
		memset(at[i], 7, 4 * MIB);
	}
	memset(held, 7, 3 * MIB);
	CHECK(!madvise(at[0], 4 * MIB, MADV_DONTFORK));
	CHECK(!advise_by_syscall(at[1], 4 * MIB, MADV_DONTFORK));
	CHECK(!advise_by_hand(at[2], 4 * MIB, MADV_DONTFORK));
	CHECK(!madvise(at[3], 4 * MIB, MADV_DONTFORK));
	at[3] = move(at[3], 4 * MIB);
	CHECK(!madvise(at[4], 4 * MIB, MADV_WIPEONFORK));
	at[4] = move(at[4], 4 * MIB);
	CHECK(!madvise(above(held), 2 * MIB, MADV_DONTFORK));
	held = move_by_realloc(held, 3 * MIB);
	for (int i = 0; i < 5; i++)
		look(at[i], 4 * MIB, i == 4 ? " wf" : " dc");
	look(above(held), 2 * MIB, " dc");
	look((char *)t_area, t_area_bytes, " wf");
	/* What was its own is not any more. */
	for (int i = 0; i < 4; i++)
		CHECK(!madvise(at[i], 4 * MIB, MADV_DOFORK));
	CHECK(!madvise(at[4], 4 * MIB, MADV_KEEPONFORK));
	for (int i = 0; i < 5; i++)
		look(at[i], 4 * MIB, i == 4 ? " wf" : " dc");
	stop = 1;
	pthread_join(t, NULL);
	for (int i = 0; i < 5; i++)
		CHECK(!munmap(at[i], 4 * MIB));
	free(held);
}

CASES_MAIN
