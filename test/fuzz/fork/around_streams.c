/* Streams to and from commands, open while one forks: a child has copies, and
 * what it does to those is not done to its parent's. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

static FILE *from, *to;
static char command[160];
static int catted;

static bool begin(void)
{
	snprintf(command, sizeof(command), "exec cat >>'%s/catted'", scene_dir);
	/* for whoever the state is */
	catted = scene_out_of_the_way(
		open("catted", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
	return !fchmod(catted, 0666);
}

/* A shell says where it can't, on standard error, which is any file. */
static bool has_directory(void)
{
	char path[4096];

	return getcwd(path, sizeof(path)) && path[0] == '/';
}

static void before(struct rng *r)
{
	from = to = NULL;
	MUST(!ftruncate(catted, 0));
	if (!has_directory())
		return;
	if (rng_percent(r, 60))
		from = popen("printf 'one\\ntwo\\nthree\\n'; exit 3", "re");
	if (rng_percent(r, 60))
		to = popen(command, "we");
	if (to && rng_percent(r, 50))
		fputs("parent's\n", to);
	/* what it says is there, whoever reads it */
	if (from)
		ungetc(getc(from), from);
}

static uint64_t after(void)
{
	struct sigaction ignored = { .sa_handler = SIG_IGN }, was;
	uint64_t h = 1;
	struct stat st;
	int c;

	/* a command that could not write where it should is gone */
	sigaction(SIGPIPE, &ignored, &was);

	if (from) {
		h = around_mix(h, (uint64_t)fwide(from, 0));
		while ((c = getc(from)) != EOF)
			h = around_mix(h, (uint64_t)c);
		h = around_mix(h, (uint64_t)pclose(from));
	}
	if (to) {
		h = around_mix(h, (uint64_t)fwide(to, 0));
		h = around_mix(h, (uint64_t)__fpending(to));
		h = around_mix(h, (uint64_t)pclose(to));
	}
	/* one that is blocked as well waits, and is forgotten by this */
	sigaction(SIGPIPE, &ignored, NULL);
	sigaction(SIGPIPE, &was, NULL);
	return fstat(catted, &st) ? h : around_mix(h, (uint64_t)st.st_size);
}

/* A command's own end is no child's business: it has no such child. */
static long close_it(struct rng *r)
{
	FILE **f = rng_percent(r, 50) ? &from : &to;
	FILE *stream = *f;
	int rc;

	if (!stream)
		return 0;
	*f = NULL;
	rc = rng_percent(r, 50) ? pclose(stream) : fclose(stream);
	return step_result(rc);
}

static long write_it(struct rng *r)
{
	(void)r;
	return to ? fputs("child's\n", to) : 0;
}

static long flush_it(struct rng *r)
{
	(void)r;
	return to ? step_result(fflush(to)) : 0;
}

static long read_it(struct rng *r)
{
	char line[20];

	(void)r;
	if (!from || !fgets(line, sizeof(line), from))
		return 0;
	return (long)strlen(line);
}

static long orient(struct rng *r)
{
	FILE *f = rng_percent(r, 50) ? from : to;

	return f ? fwide(f, (int)rng_below(r, 3) - 1) : 0;
}

static long command_of_its_own(struct rng *r)
{
	const char *how = rng_percent(r, 50) ? "r" : "w";
	FILE *f;

	if (!has_directory())
		return 0;
	f = popen("exit 5", how);
	return f ? pclose(f) : -errno;
}

static const struct step steps[] = {
	STEP(4, close_it),
	QUIET(3, write_it),
	STEP(2, flush_it),
	STEP(2, read_it),
	QUIET(2, orient),
	STEP(1, command_of_its_own),
	{ 0 },
};

const struct around around_streams = {
	"streams", 25, begin, before, NULL, after, steps,
};
