/*
 * Unflushed stdio at fork: the child prints into the same buffers and execs
 * (its text dies), the parent's text comes out exactly once; then the same
 * with a child that flushes before it execs, and with a FILE of its own.
 *
 * Test: -l
 */
#include "t.h"

#include <string.h>
#include <unistd.h>

int main(void)
{
	static char buffer[1 << 16], got[4096];
	FILE *f;
	size_t n;
	pid_t pid;

	t_start(64);
	fflush(stdout);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	f = fopen("own", "w+");
	CHECK(f);
	fprintf(f, "[parent]");
	printf("before the first fork\n");
	pid = t_fork();
	if (pid == 0) {
		printf("never seen\n");
		fprintf(f, "[never]");
		t_exec_exit(3);
	}
	fflush(stdout);
	t_reap(pid, "silent");

	fflush(stdout);
	fprintf(f, "[more]");
	printf("twice: once by the child, once by the parent\n");
	pid = t_fork();
	if (pid == 0) {
		printf("the child's own line\n");
		fflush(stdout);
		t_exec_exit(4);
	}
	t_reap(pid, "flusher");
	fflush(stdout);

	rewind(f);
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = 0;
	printf("own file: %s\n", got);
	pid = t_fork();
	if (pid == 0) {
		fclose(f);
		fclose(stdout);
		t_exec_exit(5);
	}
	t_reap(pid, "closer");
	CHECK(fprintf(f, "[after]") == 7 && fclose(f) == 0);
	f = fopen("own", "r");
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = 0;
	fclose(f);
	printf("own file: %s\n", got);
	n = t_end();
	fflush(stdout);
	return n;
}
