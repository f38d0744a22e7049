/*
 * Runs in the parent, inside libc's clone call, when a committed child was
 * asked to leave and is stopped (SIGSTOP from somewhere).
 *
 * Hazards
 *  H-U1 The child may be continued at any moment. Before it changes what is
 *       absent it says "busy" and then waits while the state is PUSHING; the
 *       parent first sets PUSHING and then looks at "busy". One of them sees
 *       the other.
 *  H-U2 Program code of the child may run meanwhile: it reaches only what is
 *       present, and only what is absent is written.
 *  H-U3 A guard (H-P5) can't be read, nor be put into another process: page
 *       by page then, without the guard. Nobody must wait for ever for that.
 *  H-U4 What the child says is absent is a hint (H-I1): an arbitrary program
 *       may have written there.
 */
#include "lazy/push.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/wait.h>

#include "host/sys.h"
#include "lazy/child.h"
#include "lazy/pager.h"
#include "lazy/touched.h"
#include "tell/line.h"

static bool is_stopped(pid_t pid)
{
	siginfo_t info = { 0 };

	return sys(waitid, P_PID, pid, &info,
		   WSTOPPED | WNOHANG | WNOWAIT | __WALL, NULL) == 0 &&
	       info.si_pid == pid;
}

static int open_memory(pid_t pid)
{
	char path[32];
	struct ff_line line = ff_line_start(path, sizeof(path));

	ff_line_str(&line, "/proc/");
	ff_line_unsigned(&line, (uint64_t)pid, 10);
	ff_line_str(&line, "/mem");
	path[line.used] = 0;
	return (int)sys(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
}

struct push {
	int mem;       /* of the child */
	uint64_t word; /* of the child's bitmap, and which one it is */
	size_t word_index;
	uint64_t *present; /* where that is in the child */
};

/* H-U3 */
static int write_piece(uintptr_t start, uintptr_t end, void *arg)
{
	const struct push *p = arg;
	bool guarded = false;
	long rc;

	while (start < end) {
		rc = sys(pwrite64, p->mem, start,
			 guarded ? FF_PAGE : end - start, start);
		if (rc == -EFAULT && guarded)
			rc = FF_PAGE;
		if (rc == -EFAULT) {
			guarded = true;
			continue;
		}
		if (rc <= 0)
			return rc < 0 ? (int)rc : -1;
		start += (uintptr_t)rc;
	}
	return 0;
}

static int read_child(int mem, void *into, size_t bytes, const void *at)
{
	return sys(pread64, mem, into, bytes, at) == (long)bytes ? 0 : -1;
}

static int push_area(struct push *p, int pagemap, const struct ff_area *a)
{
	uintptr_t at = a->start, next;
	size_t bit;
	int rc;

	for (; at < a->end; at = next) {
		next = ((at >> FF_CLUSTER_SHIFT) + 1) << FF_CLUSTER_SHIFT;
		if (next > a->end)
			next = a->end;
		bit = a->bit + ((at >> FF_CLUSTER_SHIFT) - a->first_cluster);
		if (p->word_index != bit / 64) {
			p->word_index = bit / 64;
			if (read_child(p->mem, &p->word, sizeof(p->word),
				       p->present + bit / 64) < 0)
				return -1;
		}
		if ((p->word >> (bit % 64)) & 1)
			continue;
		rc = ff_each_touched(pagemap, at, next, write_piece, p);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* H-U4: no more than was left out of it at the clone, and each area once. */
static bool is_possible(const struct ff_areas *areas, const struct ff_area *a,
			uintptr_t behind)
{
	unsigned i;

	if (a->start < behind || a->start >= a->end ||
	    (a->start | a->end) % FF_PAGE)
		return false;
	for (i = 0; i < areas->count; i++)
		if (areas->area[i].start <= a->start &&
		    a->end <= areas->area[i].end)
			return true;
	return false;
}

/* By the child's own table: it may have unmapped things since. */
static int push_all(int mem, int pagemap, const struct ff_areas *areas)
{
	uintptr_t behind = 0;
	struct push p = { .mem = mem, .word_index = SIZE_MAX };
	struct ff_area a;
	unsigned i, count;
	int rc;

	rc = read_child(mem, &count, sizeof(count), &areas->count);
	if (rc == 0)
		rc = read_child(mem, &p.present, sizeof(p.present),
				&ff_child.present);
	if (count > FF_AREAS_MAX + FF_AREAS_SPARE)
		return -1;
	for (i = 0; rc == 0 && i < count; i++) {
		rc = read_child(mem, &a, sizeof(a), &areas->area[i]);
		if (rc == 0 && !is_possible(areas, &a, behind))
			rc = -1;
		if (rc == 0)
			rc = push_area(&p, pagemap, &a);
		behind = a.end;
	}
	return rc;
}

bool ff_push(struct ff_slot *slot, pid_t pid)
{
	struct ff_shared *sh = slot->shared;
	uint32_t asked = FF_ASKED;
	int mem, pagemap, rc = -1;

	if (!is_stopped(pid) ||
	    !atomic_compare_exchange_strong(&sh->state, &asked, FF_PUSHING))
		return false;
	mem = open_memory(pid);
	pagemap = (int)sys(openat, AT_FDCWD, "/proc/self/pagemap",
			   O_RDONLY | O_CLOEXEC, 0);
	if (atomic_load(&sh->busy) == 0 && mem >= 0 && pagemap >= 0)
		rc = push_all(mem, pagemap, &slot->areas);
	if (rc == 0)
		atomic_store(&sh->pushed, 1);
	atomic_store(&sh->state, FF_ASKED);
	sys(futex, &sh->state, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	if (mem >= 0)
		sys(close, mem);
	if (pagemap >= 0)
		sys(close, pagemap);
	return rc == 0;
}
