/*
 * A child adds more to an eventfd than fits, and waits, where a signal ends it
 * or its parent takes what was there.
 *
 * Test: -e FLATFORK_LEND=off -e FLATFORK_FAULT=commit-all committed-count-{ends,goes_on} {}
 */
#include "t.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	ROUNDS = 3
};

static _Noreturn void on_term(int sig)
{
	(void)sig;
	_exit(6);
}

int main(int argc, char **argv)
{
	const bool ends = argc > 1 && !strcmp(argv[1], "ends");
	const uint64_t most = UINT64_MAX - 2, more = 5;
	uint64_t got;
	pid_t pid;
	const int e = eventfd(0, EFD_CLOEXEC);
	struct pollfd there = { .fd = e, .events = POLLIN };
	int i;

	CHECK(e >= 0 && signal(SIGTERM, on_term) != SIG_ERR);
	t_start(48);
	for (i = 0; i < ROUNDS; i++) {
		pid = t_fork();
		if (pid == 0) {
			CHECK(write(e, &most, sizeof(most)) == sizeof(most));
			CHECK(write(e, &more, sizeof(more)) == sizeof(more));
			t_exec_exit(5);
		}
		CHECK(poll(&there, 1, -1) == 1);
		t_sleep_ms(100);
		if (ends)
			CHECK(!kill(pid, SIGTERM));
		else
			CHECK(read(e, &got, sizeof(got)) == sizeof(got));
		t_reap(pid, "child");
		CHECK(read(e, &got, sizeof(got)) == sizeof(got));
		printf("count %d\n", (int)(got == more));
	}
	return t_end();
}
