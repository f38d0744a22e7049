/*
 * Children that write and then exec, at one place, so that they get to be
 * born committed. The later ones read into memory that is none from sockets
 * and counters of their own: what was to be read is gone, and stays so.
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	CHILDREN = 10,
	READERS = 4,
};

static char *volatile nowhere = (char *)8;

static int fault(ssize_t rc)
{
	return rc == -1 && errno == EFAULT;
}

static int nothing_there(int fd, void *to, size_t bytes)
{
	return read(fd, to, bytes) == -1 && errno == EAGAIN;
}

static int datagram_is_gone(char *half)
{
	struct iovec v[2] = { { half - 4, 8 }, { half - 8, 4 } };
	char got[16];
	int two[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, two) ||
	    write(two[1], "lost", 4) != 4 || write(two[1], "split", 5) != 5 ||
	    write(two[1], "kept", 4) != 4)
		return 0;
	/* nowhere; and half of it into memory that ends */
	return fault(read(two[0], nowhere, 4)) && fault(readv(two[0], v, 2)) &&
	       read(two[0], got, sizeof(got)) == 4 && !memcmp(got, "kept", 4) &&
	       nothing_there(two[0], got, sizeof(got)) &&
	       fault(write(two[1], nowhere, 4));
}

static int count_is_gone(void)
{
	uint64_t got;
	int fd = eventfd(5, EFD_NONBLOCK);

	return fd >= 0 && fault(read(fd, nowhere, sizeof(got))) &&
	       nothing_there(fd, &got, sizeof(got));
}

static void child_execs(char *half, int reads)
{
	CHECK(write(1, "", 0) == 0);
	if (!reads)
		t_exec_exit(5);
	t_exec_exit(datagram_is_gone(half) && count_is_gone() ? 7 : 8);
}

int main(void)
{
	char *map, *half;
	pid_t pid;

	t_start(64);
	map = t_anon(4 << 20);
	half = map + (2 << 20);
	CHECK(!munmap(half, 2 << 20));
	for (int i = 0; i < CHILDREN; i++) {
		pid = t_fork();
		if (pid == 0)
			child_execs(half, i >= CHILDREN - READERS);
		t_reap(pid, "child");
	}
	return t_end();
}
