/*
 * Argument thp or hugetlb. Areas on huge pages: the child reads some, writes
 * some, unmaps and protects parts at borders that are not theirs, execs; the
 * parent's stay whole. hugetlb pages are had from the system if it has none,
 * and given back; skipped where that may not be.
 *
 * Test: -l huge-pages-{thp,hugetlb} {}
 */
#include "t.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	HUGE = 2 << 20,
	BYTES = 16 * HUGE
};

static const char knob[] = "/proc/sys/vm/nr_hugepages";
static int had = -1;

static int set_knob(int value)
{
	FILE *f = fopen(knob, "re+");
	int old = -1;

	if (!f || fscanf(f, "%d", &old) != 1)
		return -1;
	rewind(f);
	fprintf(f, "%d\n", value);
	return fclose(f) ? -1 : old;
}

static void put_back(void)
{
	if (had >= 0)
		set_knob(had);
}

static char *make(int hugetlb)
{
	char *p;

	if (!hugetlb) {
		p = aligned_alloc(HUGE, BYTES);
		CHECK(p);
		madvise(p, BYTES, MADV_HUGEPAGE);
		return p;
	}
	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1,
		 0);
	if (p != MAP_FAILED)
		return p;
	/* twice as many: the child's writes need pages of their own */
	had = set_knob(2 * BYTES / HUGE);
	if (had < 0)
		t_skip("no hugetlb pages and none to be had");
	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1,
		 0);
	if (p == MAP_FAILED) {
		put_back();
		t_skip("no hugetlb pages to be had");
	}
	return p;
}

/* The work in a process of its own, so that the knob is always put back. */
static int work(int hugetlb, char *p)
{
	t_start(64);
	t_fill(p, BYTES);
	for (int i = 0; i < 3; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			int good = t_intact(p + 3 * HUGE, HUGE);

			memset(p + HUGE / 2, i, HUGE);
			good += 2 * t_intact(p, HUGE / 2);
			good += 4 * t_intact(p + 2 * HUGE, HUGE);
			if (!hugetlb) {
				munmap(p + 5 * HUGE + 4096 * 3, 4096 * 5);
				mprotect(p + 6 * HUGE + 4096, 4096, PROT_READ);
			}
			good += 8 * t_intact(p + 6 * HUGE, 2 * HUGE);
			good += 16 * t_intact(p + 5 * HUGE, 4096 * 3);
			t_exec_exit(good);
		}
		t_reap(pid, "child");
		CHECK(t_intact(p, BYTES));
	}
	return t_end();
}

int main(int argc, char **argv)
{
	int hugetlb = argc > 1 && !strcmp(argv[1], "hugetlb");
	int result;
	char *p = make(hugetlb);

	result = work(hugetlb, p);
	if (hugetlb)
		munmap(p, BYTES);
	put_back();
	return result;
}
