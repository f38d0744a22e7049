/*
 * Everything at once, for a while: children of all kinds, by all names, of a
 * process without threads and of one in which threads fork, allocate and take
 * signals; some of the children are killed or stopped at random moments by the
 * process that started both. Each child has the status that it must have, or
 * was killed; what it did to shared memory was done once, or not; what it did
 * to its own is not its parent's. The parents do not grow: the second half of
 * the time leaves no more memory, mappings, descriptors, marks or children than
 * the first. Argument: seconds; T_SECONDS in the environment wins. Figures go
 * to standard error if T_FIGURES is set.
 */
#include "soak.h"
#include "t.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PARENTS = 2,	  /* without threads, with them */
	SLACK_KIB = 6144, /* what arenas and stacks may settle at */
	SLACK_MAPPINGS = 12,
};

static bool grew(const struct told *t)
{
	const struct size *a = &t->size[0], *b = &t->size[1];

	return b->fds != a->fds || b->marks || a->marks ||
	       b->mappings > a->mappings + SLACK_MAPPINGS ||
	       b->kib > a->kib + SLACK_KIB;
}

static void say(const struct told *t, const char *what)
{
	const struct size *a = &t->size[0], *b = &t->size[1];

	if (getenv("T_FIGURES") || grew(t))
		fprintf(stderr,
			"%s: %ld children, %ld killed; KiB %ld to %ld, "
			"mappings %ld to %ld, descriptors %ld to %ld, marks "
			"%ld to %ld\n",
			what, t->children, t->killed, a->kib, b->kib,
			a->mappings, b->mappings, a->fds, b->fds, a->marks,
			b->marks);
	printf("%s: %ld wrong, %ld signals in children, %s, %s\n", what,
	       t->wrong, t->in_children, grew(t) ? "GREW" : "flat",
	       t->left[0] || t->left[1] ? "A CHILD IS LEFT" : "no child left");
}

int main(int argc, char **argv)
{
	const char *text = getenv("T_SECONDS");
	struct told *told;
	_Atomic unsigned *tally;
	double seconds;
	int running = PARENTS, status;
	unsigned seed = 3;

	seconds = text ? atof(text) : argc > 1 ? atof(argv[1]) : 6;
	t_start(16);
	told = t_shared(4096);
	tally = t_shared(4096);
	for (long i = 0; i < PARENTS; i++)
		if (t_fork() == 0)
			soak_parent(&told[i], i == 1, seconds,
				    tally + i * FORKERS);
	while (running > 0) {
		pid_t pid = told[(unsigned)rand_r(&seed) % PARENTS].pid;

		if (pid)
			soak_molest(pid, &seed);
		usleep((unsigned)rand_r(&seed) % 20000);
		pid = waitpid(-1, &status, WNOHANG);
		CHECK(pid == 0 || status == 0);
		running -= pid > 0;
	}
	say(&told[0], "without threads");
	say(&told[1], "with threads");
	return t_end();
}
