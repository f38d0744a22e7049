/*
 * munmap, mmap(MAP_FIXED), mremap, mprotect, madvise and brk by the child on
 * the big areas of the program, before it execs: each must have the result
 * it has after a plain fork, and the parent keeps everything.
 *
 * Test: -l
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-child-maps
 */
#include "t.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	MIB = 1 << 20
};

static char *a; /* 16 MiB of pattern */
static char say[4096];

static void tell(const char *what, long value)
{
	size_t n = strlen(say);

	snprintf(say + n, sizeof(say) - n, "%s%s %ld", n ? "\n" : "", what,
		 value);
}

static void child_unmaps(void)
{
	char *p;

	tell("munmap", munmap(a + MIB, MIB));
	tell("again", munmap(a + MIB, MIB));
	p = mmap(a + MIB, MIB, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	tell("map in the hole", p == a + MIB);
	tell("zero", p[0] == 0 && p[MIB - 1] == 0);
	p[5] = 1;
	p = mmap(a + 2 * MIB, MIB, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	tell("no replace", p == MAP_FAILED ? errno : 0);
	p = mmap(a + 2 * MIB, MIB, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	tell("fixed over", p == a + 2 * MIB && p[0] == 0 && p[MIB - 1] == 0);
	tell("before", t_intact(a, MIB));
	tell("behind", t_intact(a + 3 * MIB, MIB));
	p = mmap(NULL, 4 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tell("elsewhere", p + 4 * MIB <= a || p >= a + 16 * MIB);
}

static void child_moves(void)
{
	char *p = mremap(a, 2 * MIB, 4 * MIB, 0);

	tell("grow in place", p == MAP_FAILED ? errno : 0);
	p = mremap(a + 4 * MIB, 2 * MIB, 3 * MIB, MREMAP_MAYMOVE);
	tell("moved", p != MAP_FAILED && p != a + 4 * MIB);
	for (size_t i = 0; i < 2 * MIB; i += 8)
		if (*(uint64_t *)(p + i) != t_word(a + 4 * MIB + i)) {
			tell("moved content is wrong at", i);
			break;
		}
	tell("grown part zero", p[2 * MIB] == 0 && p[3 * MIB - 1] == 0);
	tell("old place", msync(a + 4 * MIB, 4096, MS_ASYNC) ? errno : 0);
	p = mremap(a + 8 * MIB, 2 * MIB, MIB, 0);
	tell("shrunk", p == a + 8 * MIB && t_intact(p, MIB));
	tell("tail", msync(a + 9 * MIB, 4096, MS_ASYNC) ? errno : 0);
	p = mremap(a + 10 * MIB, MIB, MIB, MREMAP_MAYMOVE | MREMAP_FIXED,
		   a + 12 * MIB);
	tell("onto", p == a + 12 * MIB);
	tell("its words",
	     *(uint64_t *)p == t_word(a + 10 * MIB) &&
		     *(uint64_t *)(p + MIB - 8) == t_word(a + 11 * MIB - 8));
	tell("rest", t_intact(a + 13 * MIB, 3 * MIB) && t_intact(a, 2 * MIB));
}

static void child_advises(void)
{
	tell("dontneed", madvise(a, MIB, MADV_DONTNEED));
	tell("zero", a[0] == 0 && a[MIB - 1] == 0);
	tell("behind", t_intact(a + MIB, MIB));
	tell("willneed", madvise(a + 2 * MIB, MIB, MADV_WILLNEED));
	tell("kept", t_intact(a + 2 * MIB, MIB));
	tell("read-only", mprotect(a + 3 * MIB, MIB, PROT_READ));
	tell("kept", t_intact(a + 3 * MIB, MIB));
	tell("write there", read(0, a + 3 * MIB, 1) == 0);
	tell("none", mprotect(a + 4 * MIB, MIB, PROT_NONE));
	tell("and back", mprotect(a + 4 * MIB, MIB, PROT_READ | PROT_WRITE));
	tell("kept", t_intact(a + 4 * MIB, MIB));
	tell("across", mprotect(a + 4 * MIB + 2048 * 4, 3 * MIB, PROT_READ));
	tell("kept", t_intact(a + 4 * MIB, 8 * MIB));
	tell("lock", mlock(a + 13 * MIB, 65536));
	tell("kept", t_intact(a + 13 * MIB, MIB));
	tell("msync", msync(a + 14 * MIB, MIB, MS_SYNC));
	memset(a + 15 * MIB, 1, MIB);
	tell("dontneed after write", madvise(a + 15 * MIB, MIB, MADV_DONTNEED));
	tell("zero", a[15 * MIB] == 0);
}

static void child_brk(void)
{
	char *end = sbrk(0), *grown;

	grown = sbrk(3 * MIB);
	tell("grown", grown == end);
	tell("zero", end[0] == 0 && end[3 * MIB - 1] == 0);
	memset(end, 1, 3 * MIB);
	tell("shrunk", sbrk(-4 * MIB) == end + 3 * MIB);
	tell("again", sbrk(2 * MIB) == end - MIB);
	tell("fresh", end[-MIB] == 0 && end[-1] == 0);
}

static void run(const char *what, void (*f)(void))
{
	pid_t pid = t_fork();

	if (pid == 0) {
		f();
		t_exec_say("%s", say);
	}
	t_reap(pid, what);
	CHECK(t_intact(a, 16 * MIB));
}

int main(void)
{
	t_start(64);
	a = t_anon(16 * MIB);
	run("unmaps", child_unmaps);
	run("moves", child_moves);
	run("advises", child_advises);
	run("brk", child_brk);
	CHECK(!munmap(a, 16 * MIB));
	return t_end();
}
