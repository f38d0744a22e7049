/*
 * A child has the kernel write to private and shared memory by one call: it is
 * told of as many bytes as without a lazy child, on trial or not. Then exec.
 *
 * Test:
 * Test: -e FLATFORK_FAULT=no-readonly reads-into-shared-closed
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	TIMES = 3
};

static char *private; /* a page, and behind it */
static char *shared;  /* another */

static long by_read(int file)
{
	return read(file, private, 2 * PAGE);
}

static long by_pread(int file)
{
	return pread(file, private + 2000, PAGE, 0);
}

static long by_readv(int file)
{
	struct iovec v[2] = { { private, 100 }, { shared, 100 } };

	return readv(file, v, 2);
}

static long from_pipe(int file)
{
	struct iovec v[2] = { { private, 100 }, { shared, 100 } };
	char text[150] = "x";
	int ends[2];

	(void)file;
	CHECK(!pipe(ends) && write(ends[1], text, 150) == 150);
	return readv(ends[0], v, 2);
}

static long random_bytes(int file)
{
	(void)file;
	return getrandom(private + PAGE - 50, 100, 0);
}

/* A second mapping of it, which was made in the child. */
static long moved(int file)
{
	char *to = mremap(shared, 0, PAGE, MREMAP_MAYMOVE);
	struct iovec v[2] = { { private, 100 }, { to, 100 } };

	CHECK(to != MAP_FAILED);
	return readv(file, v, 2);
}

int main(void)
{
	static long (*const way[])(int) = { by_read,   by_pread,     by_readv,
					    from_pipe, random_bytes, moved };
	char text[2 * PAGE];
	int file;

	t_start(32);
	private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(private != MAP_FAILED);
	shared = mmap(private + PAGE, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(shared != MAP_FAILED);
	file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	memset(text, 'x', sizeof(text));
	CHECK(write(file, text, sizeof(text)) == (long)sizeof(text));
	close(file);
	for (size_t i = 0; i < TIMES * sizeof(way) / sizeof(*way); i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			long n;

			file = open("file", O_RDONLY | O_CLOEXEC);
			CHECK(file >= 0);
			n = way[i / TIMES](file);
			t_exec_say("way %zu: %ld bytes", i / TIMES, n);
		}
		t_reap(pid, "child");
	}
	unlink("file");
	CHECK(!munmap(private, 2 * PAGE));
	return t_end();
}
