/*
 * MADV_DONTFORK and MADV_WIPEONFORK by the program keep their meaning: the
 * child has no such area or an empty one, the parent keeps it, the marks
 * stand after the fork as before, and MADV_DOFORK and MADV_KEEPONFORK undo
 * them.
 *
 * Test: -l
 */
#include "t.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	BYTES = 4 << 20
};

static int exists(void *p)
{
	return msync(p, 4096, MS_ASYNC) == 0 ? 0 : errno;
}

/* Every page zero? */
static int empty(const char *p)
{
	for (int i = 0; i < BYTES; i += 4096)
		if (p[i] || p[i + 4095])
			return 0;
	return 1;
}

static const char *marks(void *p)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	static char line[1024];
	unsigned long a, b, from = 0, to = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			from = a;
			to = b;
		} else if (!strncmp(line, "VmFlags:", 8) &&
			   from <= (unsigned long)p && to > (unsigned long)p) {
			fclose(f);
			return strstr(line, " dc") ? "dontfork" :
			       strstr(line, " wf") ? "wipe" :
						     "none";
		}
	}
	return "?";
}

int main(void)
{
	char *dont, *wipe, *part;

	t_start(64);
	dont = t_anon(BYTES);
	wipe = t_anon(BYTES);
	part = t_anon(BYTES);
	CHECK(!madvise(dont, BYTES, MADV_DONTFORK));
	CHECK(!madvise(wipe, BYTES, MADV_WIPEONFORK));
	CHECK(!madvise(part + BYTES / 2, 65536, MADV_DONTFORK));
	for (int round = 0; round < 3; round++) {
		pid_t pid = t_fork();

		if (pid == 0)
			t_exec_say("dont %d, wipe %d, part %d %d %d %d",
				   exists(dont),
				   exists(wipe) ? -1 : empty(wipe),
				   exists(part), exists(part + BYTES / 2),
				   exists(part + BYTES / 2 + 65536),
				   t_intact(part, BYTES / 2));
		t_reap(pid, "looker");
		CHECK(t_intact(dont, BYTES) && t_intact(wipe, BYTES) &&
		      t_intact(part, BYTES));
		printf("marks %s %s", marks(dont), marks(wipe));
		printf(" %s", marks(part));
		printf(" %s\n", marks(part + BYTES / 2));
		if (round == 1) {
			CHECK(!madvise(dont, BYTES, MADV_DOFORK));
			CHECK(!madvise(wipe, BYTES, MADV_KEEPONFORK));
			CHECK(!madvise(part, BYTES, MADV_DOFORK));
		}
	}
	CHECK(!munmap(dont, BYTES) && !munmap(wipe, BYTES) &&
	      !munmap(part, BYTES));
	return t_end();
}
