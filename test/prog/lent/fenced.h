/*
 * fork() by one route, again and again, and one child that does what the others
 * did not. On a CPU with protection keys the children are lent their parent's
 * memory behind a fence; the odd one runs into it, and must be what fork would
 * have made of it.
 */
#ifndef FENCED_H
#define FENCED_H

#include "route.h"

#include <sys/mman.h>

enum {
	PAGE = 4096,
};

static inline void odd(void (*child)(void))
{
	with_an_odd_one(child, 6);
}

/* Memory of all kinds, which the parent must find as it was. */
static long initialised = 1, zero;
static char *block;
static volatile char *pages;

static inline void note_memory(void)
{
	block = malloc(100);
	memset(block, 'a', 100);
	pages = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(block && pages != MAP_FAILED);
	for (int i = 0; i < 64; i++)
		pages[i * PAGE] = 'p';
}

static inline void look_at_memory(void)
{
	CHECK(initialised == 1 && zero == 0);
	for (int i = 0; i < 100; i++)
		CHECK(block[i] == 'a');
	for (int i = 0; i < 64; i++)
		CHECK(pages[i * PAGE] == 'p');
}

/* More than is kept for it. */
static inline void writes_much(void)
{
	for (int i = 0; i < 64; i++)
		pages[i * PAGE] = 'c';
	initialised++;
	for (int i = 0; i < 64; i++)
		CHECK(pages[i * PAGE] == 'c');
}

static inline void forks(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(8);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 8);
}

static inline void on_usr1(int sig)
{
	(void)sig;
}

#endif
