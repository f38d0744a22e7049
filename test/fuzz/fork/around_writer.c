/* Somebody else writes to the memory of the process that forks: another
 * process, and a file that is mapped. Nothing of that may be undone. */
#include "around.h"
#include "scene.h"
#include "steps.h"
#include "world.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <errno.h>
#include <signal.h>
#include <time.h>

enum {
	WORDS = WORLD_PAGE / sizeof(uint64_t),
	HIS = 100, /* the word that is written by the other */
};

static struct {
	volatile uint64_t wanted, idle, written;
} * order;

static uint64_t page[2 * WORDS] __attribute__((aligned(WORLD_PAGE)));
static pid_t parent;
static char *mapped;
static int file;
static uint64_t number;

static void write_on(void *arg)
{
	struct timespec little = { 0, 40000 };
	struct iovec here, there = { &page[HIS], sizeof(uint64_t) };
	uint64_t value = 1;

	(void)arg;
	here = (struct iovec){ &value, sizeof(value) };
	while (!kill(parent, 0)) {
		nanosleep(&little, NULL);
		order->idle = !order->wanted;
		if (!order->wanted)
			continue;
		if (process_vm_writev(parent, &here, 1, &there, 1, 0) ==
		    sizeof(value))
			order->written = value++;
	}
}

static bool begin(void)
{
	order = mmap(NULL, WORLD_PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(order != MAP_FAILED);
	parent = getpid();
	around_apart(write_on, NULL);
	file = scene_out_of_the_way(
		open("pages", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
	MUST(!ftruncate(file, 2 * WORLD_PAGE));
	mapped = mmap(NULL, 2 * WORLD_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		      file, 0);
	MUST(mapped != MAP_FAILED);
	return true;
}

static void stop_writing(void)
{
	struct timespec little = { 0, 20000 };

	order->wanted = 0;
	for (int i = 0; i < 100000 && !order->idle; i++)
		nanosleep(&little, NULL);
}

static void before(struct rng *r)
{
	(void)r;
	order->idle = 0;
	order->wanted = 1;
	number++;
	MUST(pwrite(file, &number, sizeof(number), 64) == sizeof(number));
	/* seen, and not written: it goes on to be the file's */
	MUST(*(volatile uint64_t *)(mapped + 64) == number);
}

static uint64_t after(void)
{
	uint64_t h, value;

	stop_writing();
	h = page[HIS] == order->written;
	value = number << 20;
	if (pwrite(file, &value, sizeof(value), 64) == sizeof(value))
		h = around_mix(h, *(volatile uint64_t *)(mapped + 64) == value);
	return around_mix(h, page[HIS + 1]);
}

static long write_beside(struct rng *r)
{
	unsigned at = rng_below(r, WORDS);

	if (at != HIS)
		page[at] = page[at] * 3 + 1;
	return (long)page[at == HIS ? 0 : at];
}

/* By the kernel, all around. */
static long read_beside(struct rng *r)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	long rc;

	if (fd < 0)
		return -errno;
	rc = step_result(read(fd, page + HIS + 2, rng_below(r, 2000)));
	close(fd);
	return rc;
}

static long write_mapped(struct rng *r)
{
	mapped[rng_below(r, 60)]++;
	return mapped[rng_below(r, 60)];
}

static const struct step steps[] = {
	QUIET(4, write_beside),
	STEP(2, read_beside),
	QUIET(3, write_mapped),
	{ 0 },
};

const struct around around_writer = {
	"writer", 20, begin, before, NULL, after, steps,
};
