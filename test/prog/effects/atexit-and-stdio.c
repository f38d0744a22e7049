/*
 * Children that end by exit() with atexit handlers and unflushed stdio, or
 * by _exit, or by returning from main: each buffer comes out exactly as
 * often as under a plain fork (inherited text once per exit()ing process),
 * each handler runs once in each process that exits.
 *
 * Test:
 */
#include "t.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *log_file;
static volatile int *handlers;
static pid_t me;

static void handler(void)
{
	__atomic_add_fetch(&handlers[getpid() == me ? 0 : 1], 1,
			   __ATOMIC_SEQ_CST);
	if (getpid() != me)
		fprintf(log_file, "<handler>");
}

static void __attribute__((destructor)) last(void)
{
	if (handlers)
		__atomic_add_fetch(&handlers[2], 1, __ATOMIC_SEQ_CST);
}

static void wait_for(pid_t pid, const char *what)
{
	char got[4096];
	FILE *f = fopen("log", "r");
	size_t n;

	t_reap(pid, what);
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = 0;
	fclose(f);
	printf("log: %s\n", got);
	printf("handlers %d %d %d\n", handlers[0], handlers[1], handlers[2]);
}

static void begin(void)
{
	t_start(64);
	me = getpid();
	handlers = t_shared(4096);
	log_file = fopen("log", "a");
	CHECK(log_file);
	CHECK(!atexit(handler));
	fprintf(log_file, "(one)");
}

int main(void)
{
	pid_t pid;

	begin();
	pid = t_fork();
	if (pid == 0) {
		fprintf(log_file, "[exit]");
		exit(1);
	}
	wait_for(pid, "exit");
	pid = t_fork();
	if (pid == 0) {
		fprintf(log_file, "[_exit]");
		_exit(2);
	}
	wait_for(pid, "_exit");
	pid = t_fork();
	if (pid == 0) {
		fprintf(log_file, "[return]");
		return 3;
	}
	wait_for(pid, "return");
	pid = t_fork();
	if (pid == 0) {
		atexit(handler);
		fprintf(log_file, "[two handlers]");
		exit(4);
	}
	wait_for(pid, "two handlers");
	pid = t_fork();
	if (pid == 0) {
		fprintf(log_file, "[flush]");
		fflush(log_file);
		fprintf(log_file, "[lost]");
		_exit(5);
	}
	wait_for(pid, "flush, _exit");
	pid = t_fork();
	if (pid == 0) {
		fprintf(log_file, "[abort]");
		abort();
	}
	wait_for(pid, "abort");
	pid = t_fork();
	if (pid == 0) {
		execl("/does/not/exist", "x", (char *)NULL);
		exit(6);
	}
	wait_for(pid, "failed exec, exit");
	/* the parent's own copy is still unflushed, once */
	fclose(log_file);
	log_file = stdout;
	CHECK(!system("wc -c <log"));
	t_signals_again(); /* system() has put its own there and back */
	return t_end();
}
