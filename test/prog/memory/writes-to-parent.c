/*
 * A child writes to its parent's memory, by a descriptor of /proc/self/mem that
 * it has inherited: what it has itself is as of fork, whether it looks before
 * or behind that. Then exec.
 *
 * Test: -l
 */
#include "t.h"

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	TIMES = 8,
	AT = 8 << 20
};

static char *word;

static void write_it(int fd, const char *text, int round)
{
	const off_t at = (off_t)(uintptr_t)word;
	struct iovec v = { (void *)text, 4 };

	switch (round % 3) {
	case 0:
		CHECK(pwrite(fd, text, 4, at) == 4);
		break;
	case 1:
		CHECK(pwritev(fd, &v, 1, at) == 4);
		break;
	default:
		CHECK(lseek(fd, at, SEEK_SET) == at);
		CHECK(write(fd, text, 4) == 4);
	}
}

int main(void)
{
	char text[] = "0th";
	pid_t pid;
	int fd;

	t_start(48);
	word = t_anon(2 * AT);
	word += AT;
	fd = open("/proc/self/mem", O_RDWR);
	CHECK(fd >= 0);
	for (int i = 0; i < TIMES; i++) {
		text[0] = (char)('1' + i);
		memcpy(word, "was", 4);
		pid = t_fork();
		if (pid == 0) {
			CHECK(write(STDOUT_FILENO, "child\n", 6) == 6);
			write_it(fd, text, i);
			t_exec_say("has %.4s", word);
		}
		t_reap(pid, "child");
		printf("parent has %.4s\n", word);
	}
	close(fd);
	return t_end();
}
