/* What others see: files written and made, shared memory. */
#include "child.h"
#include "steps.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long write_file(struct rng *r)
{
	const struct region *g = &world[rng_below(r, 2)];
	size_t bytes = 1 + rng_below(r, 9000);
	char *from = g->at + rng_below(r, (g->pages - 3) * WORLD_PAGE);
	int fd = open("target", O_WRONLY | O_APPEND | O_CLOEXEC);
	long put;

	if (fd < 0)
		return -errno;
	put = step_result(write(fd, from, bytes));
	close(fd);
	return put;
}

static long make_file(struct rng *r)
{
	int fd = open("open/made", O_WRONLY | O_CREAT | O_EXCL,
		      (mode_t)rng_below(r, 01000));

	if (fd < 0)
		return -errno;
	if (rng_percent(r, 50))
		close(fd);
	return 1;
}

static long change_file(struct rng *r)
{
	switch (rng_below(r, 4)) {
	case 0:
		return step_result(unlink("open/made"));
	case 1:
		return step_result(
			chmod("open/made", (mode_t)rng_below(r, 01000)));
	case 2:
		return step_result(truncate("target", 3));
	default:
		return step_result(open("target", O_WRONLY | O_TRUNC));
	}
}

static long write_shared(struct rng *r)
{
	const struct region *g = &world[WORLD_SHARED];
	unsigned page = rng_below(r, g->pages);
	char *at = g->at + (size_t)page * WORLD_PAGE + rng_below(r, 4000);

	if (!(g->page[page] & 2))
		return 0;
	memset(at, 's', 90);
	return (long)world_hash(at, 96);
}

static long speak(struct rng *r)
{
	(void)r;
	return step_result(pwrite(child_said_fd, "spoken", 6, CHILD_SAID));
}

static long flush(struct rng *r)
{
	(void)r;
	return fflush(world_stream) ? -errno : 0;
}

const struct step steps_seen[] = {
	QUIET(4, write_file),
	QUIET(3, make_file),
	QUIET(3, change_file),
	QUIET(4, write_shared),
	QUIET(3, speak),
	QUIET(2, flush),
	{ 0 },
};
