/*
 * One place in the program forks all kinds of children in a row, so that
 * whatever was learnt about it turns out wrong again and again: exec; write
 * then exec; write then end; write, block, write, exec; failed exec with a
 * message; a long one. Every byte arrives once and in order, every status
 * is right. With an argument the kinds come in runs of ten instead of mixed.
 *
 * Test: -l
 * Test: -l same-site-in-runs runs
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	KINDS = 8,
	ROUNDS = 12
};

static int out, gate[2];
static volatile int *counted;

static void line(int n, char c)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d%c\n", n, c);

	CHECK(write(out, text, len) == len);
}

static void act(int kind, int n)
{
	char c;

	t_area[n * 4096] = 1;
	switch (kind) {
	case 0:
		break;
	case 1:
		line(n, 'w');
		break;
	case 2:
		line(n, 'e');
		_exit(20);
	case 3:
		line(n, 'a');
		CHECK(read(gate[0], &c, 1) == 1);
		line(n, 'b');
		break;
	case 4:
		execl("/nowhere/x", "x", (char *)NULL);
		line(n, errno == ENOENT ? 'n' : '?');
		_exit(127);
	case 5:
		__atomic_add_fetch(counted, 1, __ATOMIC_SEQ_CST);
		line(n, 'c');
		CHECK(t_intact(t_area + (16 << 20), 8 << 20));
		line(n, 'd');
		_exit(21);
	case 6:
		CHECK(write(gate[1], "x", 1) == 1);
		CHECK(read(gate[0], &c, 1) == 1);
		line(n, 's');
		break;
	default:
		t_sleep_ms(3);
		line(n, 'z');
	}
	t_exec_exit(10 + kind);
}

int main(int argc, char **argv)
{
	static char text[65536];
	ssize_t n;

	(void)argv;
	out = open("lines", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	CHECK(out >= 0 && !pipe2(gate, O_CLOEXEC));
	t_start(64);
	counted = t_shared(4096);
	for (int i = 0; i < KINDS * ROUNDS; i++) {
		int kind = argc > 1 ? i / ROUNDS : i * 5 % KINDS, status;
		pid_t pid = t_fork();

		if (pid == 0)
			act(kind, i);
		if (kind == 3)
			CHECK(write(gate[1], "g", 1) == 1);
		CHECK(waitpid(pid, &status, 0) == pid);
		printf("%d kind %d status %x\n", i, kind, status);
	}
	n = pread(out, text, sizeof(text), 0);
	printf("%.*scounted %d\n", (int)n, text, *counted);
	return t_end();
}
