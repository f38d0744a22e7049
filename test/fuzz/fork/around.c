/* See around.h. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct around *const all[] = {
#define X(name) &around_##name,
	AROUND(X)
#undef X
};

uint64_t around_batch;
const char *around_program;
static bool is_there[AROUND_MAX];
static unsigned there;

static bool is_named(const char *names, const char *name)
{
	size_t bytes = strlen(name);

	for (; names; names = strchr(names, ','), names += names != NULL)
		if (!strncmp(names, name, bytes) &&
		    (names[bytes] == ',' || !names[bytes]))
			return true;
	return false;
}

void around_begin(uint64_t seed, uint64_t batch, const char *names)
{
	struct rng r = rng_of(seed ^ 0xa407d, batch);

	around_batch = batch;
	for (unsigned i = 0; i < AROUND_MAX; i++) {
		bool wanted = rng_percent(&r, all[i]->percent);

		if (names)
			wanted = is_named(names, all[i]->name);
		is_there[i] = wanted && (!all[i]->begin || all[i]->begin());
		there += is_there[i];
	}
}

bool around_has(unsigned which)
{
	return is_there[which];
}

/* Each has choices of its own, so that what one takes is nothing to others. */
void around_before(struct rng r)
{
	for (unsigned i = 0; i < AROUND_MAX; i++) {
		struct rng own = { rng_next(&r) };

		if (is_there[i] && all[i]->before)
			all[i]->before(&own);
	}
}

void around_meanwhile(void)
{
	for (unsigned i = 0; i < AROUND_MAX; i++)
		if (is_there[i] && all[i]->meanwhile)
			all[i]->meanwhile();
}

/* Limits first, see AROUND. */
void around_after(uint64_t ret[AROUND_MAX])
{
	for (unsigned i = AROUND_MAX; i-- > 0;)
		ret[i] = is_there[i] && all[i]->after ? all[i]->after() : 0;
}

const struct step *around_steps(struct rng *r)
{
	unsigned n;

	if (!there)
		return NULL;
	n = rng_below(r, there);
	for (unsigned i = 0; i < AROUND_MAX; i++)
		if (is_there[i] && n-- == 0)
			return all[i]->steps;
	return NULL;
}

const char *around_name(unsigned which)
{
	return all[which]->name;
}

void around_print(void)
{
	dprintf(scene_log, "  around:");
	for (unsigned i = 0; i < AROUND_MAX; i++)
		if (is_there[i])
			dprintf(scene_log, " %s", all[i]->name);
	dprintf(scene_log, "\n");
}

void around_apart(void (*run)(void *arg), void *arg)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		if (fork() == 0) {
			/* our own parent is gone: somebody else's signal */
			run(arg);
			_exit(0);
		}
		_exit(0);
	}
	MUST(pid > 0 && waitpid(pid, NULL, 0) == pid);
	MUST(getpid() == parent);
}
