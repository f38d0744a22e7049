/*
 * The kernel reads absent memory for the child: write, pwrite, writev with
 * its vector and pieces in different areas, sendmsg with name, control and
 * vector absent, sendto, and the bytes that arrive are the pattern. The
 * child's writes are made exactly once; some children exec, some end.
 *
 * Test:
 */
#include "t.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MIB = 1 << 20
};

static int file, pair[2];

/* The file's content must be the pieces, in order, once. */
static void check_file(const char *what, void *const *piece, const size_t *n,
		       int pieces)
{
	static char got[4 * MIB];
	size_t all = 0;

	for (int i = 0; i < pieces; i++) {
		ssize_t r = pread(file, got, n[i], all);

		if (r != (ssize_t)n[i] || memcmp(got, piece[i], n[i]))
			printf("%s: piece %d differs\n", what, i);
		all += n[i];
	}
	printf("%s: %ld bytes\n", what, (long)lseek(file, 0, SEEK_END));
	CHECK(!ftruncate(file, 0) && lseek(file, 0, SEEK_SET) == 0);
}

static void end(int by_exec)
{
	if (by_exec)
		t_exec_exit(6);
	_exit(6);
}

static void writes(int by_exec)
{
	void *piece[] = { t_area + 5 * MIB - 100, t_block(17) + 9,
			  t_area + 12 * MIB + 1 };
	size_t n[] = { 3 * MIB, 40000, 1 };
	pid_t pid = t_fork();

	if (pid == 0) {
		int ok = write(file, piece[0], n[0]) == (ssize_t)n[0] &&
			 pwrite(file, piece[1], n[1], n[0]) == (ssize_t)n[1];

		lseek(file, n[1], SEEK_CUR);
		CHECK(ok && write(file, piece[2], 1) == 1);
		end(by_exec);
	}
	t_reap(pid, "write");
	check_file("write", piece, n, 3);
}

static void writevs(int by_exec)
{
	struct iovec *v = (struct iovec *)(t_area + 20 * MIB - 24);
	void *piece[] = { t_area + MIB - 5, t_block(3), t_area + 7 * MIB + 4095,
			  t_block(100) + 100 };
	size_t n[] = { 10, T_BLOCK, 2 * MIB + 3, 4097 };
	pid_t pid;

	for (int i = 0; i < 4; i++)
		v[i] = (struct iovec){ piece[i], n[i] };
	pid = t_fork();
	if (pid == 0) {
		CHECK(writev(file, v, 4) ==
		      (ssize_t)(n[0] + n[1] + n[2] + n[3]));
		end(by_exec);
	}
	t_reap(pid, "writev");
	check_file("writev", piece, n, 4);
	t_fill((void *)((uintptr_t)v & ~7ul), 4 * sizeof(*v) + 8);
}

struct message {
	struct msghdr h;
	struct iovec v[3];
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		size_t align;
	} control;
};

static void sendmsgs(int by_exec)
{
	struct message *m = (struct message *)(t_area + 9 * MIB - 64);
	char got[8192], want[8192];
	struct cmsghdr *c;
	struct iovec iov = { got, sizeof(got) };
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr in = { .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control) };
	ssize_t n;
	pid_t pid;

	memset(m, 0, sizeof(*m));
	m->v[0] = (struct iovec){ t_area + 2 * MIB - 7, 1000 };
	m->v[1] = (struct iovec){ t_block(40), 1000 };
	m->v[2] = (struct iovec){ t_area + 14 * MIB - 500, 1000 };
	m->h.msg_iov = m->v;
	m->h.msg_iovlen = 3;
	m->h.msg_control = m->control.bytes;
	m->h.msg_controllen = sizeof(m->control);
	c = CMSG_FIRSTHDR(&m->h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &file, sizeof(int));
	for (int i = 0; i < 3; i++)
		memcpy(want + 1000 * i, m->v[i].iov_base, 1000);
	memcpy(want + 3000, t_area + 3 * MIB - 50, 100);
	pid = t_fork();
	if (pid == 0) {
		CHECK(sendmsg(pair[0], &m->h, 0) == 3000);
		CHECK(sendto(pair[0], t_area + 3 * MIB - 50, 100, 0, NULL, 0) ==
		      100);
		end(by_exec);
	}
	t_reap(pid, "sendmsg");
	n = recvmsg(pair[1], &in, MSG_DONTWAIT);
	printf("message of %zd, %s", n, memcmp(got, want, 3000) ? "BAD" : "ok");
	c = CMSG_FIRSTHDR(&in);
	if (c && c->cmsg_type == SCM_RIGHTS) {
		int fd;

		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		printf(", with a descriptor %d", fcntl(fd, F_GETFD));
		close(fd);
	}
	n = recv(pair[1], got, sizeof(got), MSG_DONTWAIT);
	printf("\nthen %zd, %s", n,
	       memcmp(got, want + 3000, 100) ? "BAD" : "ok");
	printf(", then %zd\n", recv(pair[1], got, 10, MSG_DONTWAIT));
	t_fill((void *)((uintptr_t)m & ~7ul), sizeof(*m) + 8);
}

int main(void)
{
	file = open("file", O_RDWR | O_CREAT, 0600);
	CHECK(file >= 0);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	t_start(64);
	for (int by_exec = 0; by_exec < 2; by_exec++) {
		writes(by_exec);
		writevs(by_exec);
		sendmsgs(by_exec);
	}
	return t_end();
}
