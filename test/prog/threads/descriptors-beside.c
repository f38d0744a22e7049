/*
 * While one thread forks, another closes every descriptor above 2, whether it
 * opened it or not, and opens files of its own in between, which nobody else
 * touches. It finds them as it left them, and children have their memory. Forks
 * are real as soon as it is noticed. Argument: by which calls it closes.
 *
 * Test: descriptors-beside-{range,each} {}
 * Test: -e FLATFORK_FAULT=commit-all descriptors-beside-committed-{range,each} {}
 */
#include "t.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	FORKS = 40,
	FILES = 6,
	LOOKS = 30,
	EACH_BELOW = 12,
	PAUSE_US = 20
};

static bool by_range;
static volatile int done;
static volatile unsigned lost;

static void close_all(void)
{
	if (by_range)
		syscall(SYS_close_range, 3, ~0U, 0);
	for (int fd = 3; !by_range && fd < EACH_BELOW; fd++)
		close(fd);
}

static void *open_and_close(void *unused)
{
	int fd[FILES];
	char byte;

	while (!done) {
		for (int i = 0; i < FILES; i++) {
			fd[i] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
			if (fd[i] < 0)
				lost++;
		}
		for (int i = 0; i < LOOKS * FILES; i++)
			if (read(fd[i % FILES], &byte, 1) != 1)
				lost++;
		close_all();
		/* Between a look and a close nobody can come in so soon. */
		usleep(PAUSE_US);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t t;

	CHECK(argc > 1);
	by_range = !strcmp(argv[1], "range");
	t_start(48);
	CHECK(!pthread_create(&t, NULL, open_and_close, NULL));
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			t_exec_exit(t_intact(t_area, t_area_bytes) ? 7 : 8);
		t_reap(pid, "child");
	}
	done = 1;
	pthread_join(t, NULL);
	printf("lost: %u\n", lost);
	return t_end();
}
