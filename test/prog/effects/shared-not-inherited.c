/*
 * Shared memory that children don't have, for the program keeps it from them
 * (advised: MADV_DONTFORK; by_hand: by its own instruction) or its device does
 * (perf: a ring of perf_event_open). A whole mapping, the end, the beginning
 * and the middle of others. The rest of these is the children's, and is written
 * once; so is what they map where something is missing.
 *
 * sealed: what neither the child nor anybody can make read-only has no child on
 * trial.
 *
 * Test: -l -e FLATFORK_LEND=off -q real:
 *       shared-not-inherited-{advised,by_hand,perf} {}
 * Test: -l -e FLATFORK_LEND=off
 *       shared-not-inherited-{advised,by_hand,perf}-written {} writes
 * Test: -g "real: rolled back: child has shared memory that stays writable"
 *       shared-not-inherited-sealed sealed writes
 *
 * What can't be made read-only is not accessible on trial.
 *
 * Test: -l -e FLATFORK_LEND=off -e FLATFORK_FAULT=no-readonly
 *       shared-not-inherited-closed advised writes
 */
#include "t.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

enum {
	PAGE = 4096,
	PAGES = 8,
	PIECES = 4,
	CHILDREN = 4
};

static const struct {
	int from, to;
} kept[PIECES] = { { 0, PAGES }, { 4, PAGES }, { 0, 4 }, { 3, 5 } };

static unsigned char *piece[PIECES];
static const char *how;

static bool is(const char *what)
{
	return !strcmp(how, what);
}

/* A system call that nobody sees. */
static long by_hand(long nr, void *a, size_t b, long c)
{
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return rc;
}

static void keep(unsigned char *from, size_t bytes)
{
	if (is("by_hand"))
		CHECK(!by_hand(SYS_madvise, from, bytes, MADV_DONTFORK));
	else
		CHECK(!madvise(from, bytes, MADV_DONTFORK));
}

static void make_pieces(void)
{
	for (int i = 0; i < PIECES; i++) {
		piece[i] = t_shared((size_t)PAGES * PAGE);
		keep(piece[i] + (ptrdiff_t)kept[i].from * PAGE,
		     (size_t)(kept[i].to - kept[i].from) * PAGE);
	}
}

/* One that only counts, which everybody may have. */
static void make_ring(int *ret_fd)
{
	struct perf_event_attr what = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(what),
		.config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	*ret_fd = (int)syscall(SYS_perf_event_open, &what, 0, -1, -1,
			       PERF_FLAG_FD_CLOEXEC);
	if (*ret_fd < 0)
		t_skip("perf_event_open is refused");
	piece[0] = mmap(NULL, (size_t)(PAGES + 1) * PAGE,
			PROT_READ | PROT_WRITE, MAP_SHARED, *ret_fd, 0);
	CHECK(piece[0] != MAP_FAILED);
	for (int i = 1; i < PIECES; i++)
		piece[i] = t_shared((size_t)PAGES * PAGE);
}

static bool is_there(int i, int page)
{
	if (is("sealed"))
		return true;
	if (is("perf"))
		return i > 0;
	return page < kept[i].from || page >= kept[i].to;
}

static void write_to_all(void)
{
	for (int i = 0; i < PIECES; i++)
		for (int page = 0; page < PAGES; page++)
			if (is_there(i, page))
				piece[i][(ptrdiff_t)page * PAGE]++;
}

static void count(void)
{
	for (int i = 0; i < PIECES; i++) {
		for (int page = 0; page < PAGES; page++)
			printf(" %d", is_there(i, page) ?
					      piece[i][(ptrdiff_t)page * PAGE] :
					      0);
		printf("\n");
	}
}

/* Its own memory where the first piece is not: written by it and the kernel. */
static void map_there(void)
{
	unsigned char *own =
		mmap(piece[0], PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	int fd = open(t_report, O_RDONLY | O_CLOEXEC);

	CHECK(own == piece[0]);
	*own = 7;
	CHECK(fd >= 0 && read(fd, own, 4) == 4 && !close(fd));
	CHECK(!memcmp(own, "\177ELF", 4));
	CHECK(!munmap(own, PAGE));
}

static void child(int i, void (*does)(void), const char *what)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		if (does)
			does();
		t_exec_exit(i);
	}
	t_reap(pid, what);
}

int main(int argc, char **argv)
{
	int fd = -1;

	CHECK(argc > 1);
	how = argv[1];
	t_start(64);
	if (is("perf"))
		make_ring(&fd);
	else if (!is("sealed"))
		make_pieces();
	else
		for (int i = 0; i < PIECES; i++) {
			piece[i] = t_shared((size_t)PAGES * PAGE);
			if (by_hand(SYS_mseal, piece[i], (size_t)PAGES * PAGE,
				    0))
				t_skip("no seals");
		}
	for (int i = 0; i < CHILDREN; i++)
		child(i, NULL, "execs");
	for (int i = 0; i < CHILDREN && !is("sealed"); i++)
		child(i, map_there, "maps");
	for (int i = 0; i < CHILDREN && argc > 2; i++)
		child(i, write_to_all, "writes");
	count();
	if (fd >= 0)
		close(fd);
	for (int i = 0; i < PIECES && !is("sealed"); i++)
		CHECK(!munmap(piece[i],
			      (size_t)(PAGES + (is("perf") && !i)) * PAGE));
	return t_end();
}
