/*
 * Descriptor 2 is not what it was when the program was started: a data base
 * that was opened when it was free, a pipe to somebody, a socket. With
 * FLATFORK_LOG=stderr nothing gets there but what the program writes.
 *
 * Test: -l -e FLATFORK_LOG=stderr
 *       stderr-replaced-by-{file,pipe,socket} {}
 * Test: -l -e FLATFORK_LOG=stderr
 *       stderr-replaced-by-{file,pipe,socket}-in-threads {} threads
 */
#include "t.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int other_end = -1, was;

static void replace(const char *by)
{
	int pair[2];

	was = dup(2);
	CHECK(was > 2);
	close(2);
	if (!strcmp(by, "pipe")) {
		CHECK(!pipe(pair) && pair[0] == 2);
		other_end = dup(2);
		CHECK(dup2(pair[1], 2) == 2 && !close(pair[1]));
	} else if (!strcmp(by, "socket")) {
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		CHECK(pair[0] == 2);
		other_end = pair[1];
	} else {
		CHECK(open("db", O_RDWR | O_CREAT | O_TRUNC, 0600) == 2);
	}
	CHECK(write(2, "DB", 2) == 2);
}

static void *sleep_on(void *arg)
{
	pause();
	return arg;
}

int main(int argc, char **argv)
{
	const char *by = argc > 1 ? argv[1] : "file";
	char text[4096];
	pthread_t thread;
	ssize_t n;

	replace(by);
	t_start(48);
	if (argc > 2)
		CHECK(!pthread_create(&thread, NULL, sleep_on, NULL));
	for (int i = 0; i < 4; i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			t_exec_exit(i);
		t_reap(pid, "child");
	}
	n = other_end < 0 ? pread(2, text, sizeof(text), 0) :
			    read(other_end, text, sizeof(text));
	printf("%zd bytes in descriptor 2, now by %s\n", n, by);
	if (argc > 2) {
		CHECK(!pthread_cancel(thread));
		CHECK(!pthread_join(thread, NULL));
	}
	return t_end();
}
