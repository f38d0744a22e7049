/* Memory that parent and child share, and all the doors to it: by its own
 * mapping, by one that is made writable or made anew, by the kernel. */
#include "around.h"
#include "scene.h"
#include "steps.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	BYTES = 8 * WORLD_PAGE,
};

static char *writable, *readable;
static int memory;

static bool begin(void)
{
	memory = memfd_create("doors", 0);
	if (memory < 0)
		return false;
	memory = scene_out_of_the_way(memory);
	MUST(!ftruncate(memory, BYTES));
	writable = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory,
			0);
	readable = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, memory, 0);
	return writable != MAP_FAILED && readable != MAP_FAILED;
}

/* Whatever the state lets a file be. */
static void make_whole(void)
{
	struct rlimit was, any;

	getrlimit(RLIMIT_FSIZE, &was);
	any = was;
	any.rlim_cur = any.rlim_max;
	setrlimit(RLIMIT_FSIZE, &any);
	MUST(!ftruncate(memory, BYTES));
	setrlimit(RLIMIT_FSIZE, &was);
}

static void before(struct rng *r)
{
	(void)r;
	make_whole();
	memset(writable, 'd', BYTES);
}

static uint64_t after(void)
{
	make_whole();
	return world_hash(writable, BYTES);
}

static char *spot(struct rng *r)
{
	return writable + rng_below(r, BYTES - 600);
}

static long write_it(struct rng *r)
{
	char *at = spot(r);

	memset(at, 'w', rng_below(r, 500));
	return (long)world_hash(at, 500);
}

/* It was read-only for all the time. */
static long make_writable(struct rng *r)
{
	unsigned page = rng_below(r, 8);
	char *at = readable + page * WORLD_PAGE;
	long rc = step_result(mprotect(at, WORLD_PAGE, PROT_READ | PROT_WRITE));

	if (rc)
		return rc;
	at[rng_below(r, 4000)]++;
	return (long)world_hash(at, WORLD_PAGE);
}

static long map_anew(struct rng *r)
{
	char *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory,
			0);

	if (at == MAP_FAILED)
		return -errno;
	at[rng_below(r, BYTES)]++;
	return step_result(munmap(at, BYTES));
}

static long map_twice(struct rng *r)
{
	char *at = mremap(rng_percent(r, 50) ? writable : readable, 0,
			  WORLD_PAGE, MREMAP_MAYMOVE);

	if (at == MAP_FAILED)
		return -errno;
	if (!mprotect(at, WORLD_PAGE, PROT_READ | PROT_WRITE))
		at[rng_below(r, WORLD_PAGE)]++;
	return step_result(munmap(at, WORLD_PAGE));
}

static long by_process(struct rng *r)
{
	char text[300];
	struct iovec here = { text, sizeof(text) },
		     there = { spot(r), sizeof(text) };

	memset(text, 'p', sizeof(text));
	return step_result(process_vm_writev(getpid(), &here, 1, &there, 1, 0));
}

static long by_proc(struct rng *r)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *at = rng_percent(r, 70) ? spot(r) : readable + 5000;
	long rc;

	if (fd < 0)
		return -errno;
	rc = step_result(pwrite(fd, "by /proc", 8, (off_t)at));
	close(fd);
	return rc;
}

static long by_file(struct rng *r)
{
	switch (rng_below(r, 4)) {
	case 0:
		return step_result(
			pwrite(memory, "by file", 7, rng_below(r, 30000)));
	case 1:
		return step_result(ftruncate(memory, BYTES - 5000));
	case 2:
		return step_result(fallocate(
			memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			WORLD_PAGE, WORLD_PAGE));
	default:
		return step_result(madvise(writable + WORLD_PAGE, WORLD_PAGE,
					   rng_percent(r, 50) ? MADV_REMOVE :
								MADV_DONTNEED));
	}
}

static long by_read(struct rng *r)
{
	int fd = open("file", O_RDONLY | O_CLOEXEC);
	struct iovec two[2] = { { spot(r), 9 }, { spot(r), 20 } };
	long rc;

	if (fd < 0)
		return -errno;
	rc = step_result(rng_percent(r, 50) ? readv(fd, two, 2) :
					      pread(fd, spot(r), 10, 3));
	close(fd);
	return rc;
}

/* What the kernel answers is put there. */
static long by_answer(struct rng *r)
{
	void *at = writable + rng_below(r, 7) * WORLD_PAGE + 256;

	switch (rng_below(r, 9)) {
	case 0:
		return step_result(uname(at));
	case 1:
		return step_result(syscall(SYS_prlimit64, 0, 4, NULL, at));
	case 2:
		return step_result(
			syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, at, 8));
	case 3:
		return step_result(syscall(SYS_getcwd, at, 600));
	case 4:
		return step_result(syscall(SYS_getresuid, at, at, at));
	case 5:
		return step_result(syscall(SYS_sched_getparam, 0, at));
	case 6:
		/* a signal of the storm is pending, or not yet */
		return around_has(AROUND_storm) ?
			       0 :
			       step_result(syscall(SYS_rt_sigpending, at, 8));
	case 7:
		return step_result(syscall(SYS_waitid, 0, 0, at, 4 | 1, NULL));
	default:
		return step_result(syscall(SYS_readlink, "symlink", at, 5));
	}
}

static long by_futex(struct rng *r)
{
	uint32_t *at = (uint32_t *)(writable + rng_below(r, 1000) * 4);
	int op = FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0);

	return step_result(
		syscall(SYS_futex, at, FUTEX_WAKE_OP, 1, 1L, at + 1, op));
}

static long at_the_end(struct rng *r)
{
	return step_result(syscall(SYS_set_tid_address,
				   writable + rng_below(r, 1000) * 4)) > 0;
}

static const struct step steps[] = {
	QUIET(3, write_it),  QUIET(3, make_writable), QUIET(3, map_anew),
	QUIET(2, map_twice), STEP(2, by_process),     STEP(1, by_proc),
	STEP(3, by_file),    QUIET(2, by_read),	      STEP(4, by_answer),
	STEP(2, by_futex),   STEP(1, at_the_end),     { 0 },
};

const struct around around_doors = {
	"doors", 25, begin, before, NULL, after, steps,
};
