/* Choosing a program. Carrying it out: program_run.c. */
#include "program.h"
#include "scene.h"
#include "state.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef POSIX_SPAWN_SETSID
#define POSIX_SPAWN_SETSID 0x80
#endif

static char long_name[300], long_path[5000], long_search[5000], deep_path[4000];
static char absolute[16][96];
static char big_argument[160 << 10];

static const char *in_scene(const char *name)
{
	for (int i = 0; i < 16; i++) {
		if (absolute[i][0]) {
			const char *own = absolute[i] + strlen(scene_dir) + 1;

			if (!strcmp(own, name))
				return absolute[i];
			continue;
		}
		snprintf(absolute[i], sizeof(absolute[i]), "%s/%s", scene_dir,
			 name);
		return absolute[i];
	}
	return name;
}

static void make_strings(void)
{
	if (long_name[0])
		return;
	memset(long_name, 'n', sizeof(long_name) - 1);
	memset(long_path, '/', sizeof(long_path) - 1);
	memset(long_search, '/', sizeof(long_search) - 5);
	memcpy(long_search + sizeof(long_search) - 5, ":bin", 5);
	memset(big_argument, 'x', sizeof(big_argument) - 1);
	for (size_t i = 0; i + 2 < sizeof(deep_path) - 20; i += 2)
		memcpy(deep_path + i, "./", 2);
}

static const char *pick_path(struct rng *r)
{
	static const char *const paths[] = {
		"file",
		"target",
		"open/made",
		"missing",
		"sub",
		"sub/../file",
		"file/not-a-directory",
		"",
		"/dev/null",
		"/dev/tty",
		"loop",
		"private/tool",
		"sub/deep",
		"/",
		"/proc/self/fd/5",
		"/dev/fd/7",
		"/proc/self/status",
		"witness",
		"..",
		".",
		"bin/tool",
		"busy",
	};
	unsigned way = rng_below(r, 100);

	if (way >= 92)
		return in_scene(way < 97 ? "open/made" : "target");
	if (way < 1)
		return long_path;
	if (way < 2)
		return long_name;
	if (way < 8)
		return deep_path;
	if (way < 40)
		return in_scene("file");
	if (way < 60)
		return in_scene("sub");
	return RNG_PICK(r, paths);
}

static int pick_fd(struct rng *r)
{
	static const int odd[] = { -1,	-2,   INT_MAX, INT_MIN, 255,   256, 700,
				   701, 1023, 1024,    4095,	65536, 19,  20,
				   31,	39,   40,      511,	512 };
	unsigned way = rng_below(r, 100);
	int fd;

	if (way < 3)
		return RNG_PICK(r, odd);
	if (way < 20)
		return (int)rng_below(r, 6);
	/* mostly one that is open */
	do
		fd = (int)rng_below(r, STATE_LOW);
	while (fcntl(fd, F_GETFD) < 0 && rng_percent(r, 85));
	return fd;
}

static int pick_oflag(struct rng *r)
{
	static const int flags[] = {
		O_RDONLY,
		O_RDONLY,
		O_RDWR,
		O_WRONLY,
		O_RDONLY | O_CLOEXEC,
		O_WRONLY | O_CREAT,
		O_RDWR | O_CREAT | O_EXCL,
		O_WRONLY | O_CREAT | O_TRUNC,
		O_WRONLY | O_APPEND,
		O_RDONLY | O_DIRECTORY,
		O_RDONLY | O_NOFOLLOW,
		O_PATH,
		O_RDONLY | O_NOCTTY,
		O_RDWR | O_NONBLOCK,
		O_RDONLY | O_NONBLOCK | O_CREAT,
		0x7fffffff & ~O_CREAT,
	};

	return RNG_PICK(r, flags);
}

static void pick_action(struct rng *r, struct action *a)
{
	static const enum action_kind kinds[] = {
		ACTION_OPEN,	  ACTION_OPEN,	ACTION_OPEN,   ACTION_CLOSE,
		ACTION_CLOSE,	  ACTION_DUP2,	ACTION_DUP2,   ACTION_DUP2,
		ACTION_DUP2,	  ACTION_CHDIR, ACTION_FCHDIR, ACTION_CLOSEFROM,
		ACTION_TCSETPGRP,
	};

	a->kind = RNG_PICK(r, kinds);
	a->fd = pick_fd(r);
	a->fd2 = rng_percent(r, 15) ? a->fd : pick_fd(r);
	a->path = pick_path(r);
	a->oflag = pick_oflag(r);
	/* only what is put back may be made or cut */
	if (a->path != in_scene("open/made") && a->path != in_scene("target"))
		a->oflag &= ~(O_CREAT | O_TRUNC);
	a->mode = rng_percent(r, 80) ? 0644 : (mode_t)rng_below(r, 010000);
	/* what has no such name takes a negative one with _np */
	a->posix_name = a->fd >= 0 && rng_percent(r, 50);
	if (a->kind == ACTION_CHDIR && rng_percent(r, 80))
		a->path = in_scene(rng_percent(r, 50) ? "sub" : "sub/deep");
	if (a->kind == ACTION_OPEN && rng_percent(r, 50))
		a->path = in_scene("file");
	if (a->kind == ACTION_CLOSEFROM && rng_percent(r, 70))
		a->fd = (int)rng_below(r, 40);
	if (a->kind == ACTION_TCSETPGRP && rng_percent(r, 60))
		a->fd = state_tty < 0 ? 0 : state_tty;
}

static void pick_set(struct rng *r, sigset_t *set)
{
	uint64_t bits = rng_next(r) & (rng_percent(r, 50) ? ~0UL : rng_next(r));

	if (rng_percent(r, 10))
		bits = ~0UL;
	if (rng_percent(r, 10))
		bits = 0;
	sigemptyset(set);
	memcpy(set, &bits, sizeof(bits));
}

static void pick_attr(struct rng *r, struct program *p)
{
	static const int policies[] = { SCHED_OTHER, SCHED_OTHER, SCHED_FIFO,
					SCHED_RR,    SCHED_BATCH, 99,
					-1 };
	static const int priorities[] = { 0, 0, 0, 1, 2, 99, 100, -1 };
	static const short odd[] = { 0x200, 0x4000, (short)0x8000, -1, 0x40 };
	const pid_t groups[] = { 0, 0,	0,	getpid(), state_sibling,
				 1, -1, INT_MAX };

	p->has_attr = rng_percent(r, 75);
	p->settings = (unsigned)rng_next(r) | 1;
	/* sparse: each flag more is a reason more to fail */
	p->flags = (short)(rng_sparse(r) & 0x8f);
	if (rng_percent(r, 15))
		p->flags |= (short)(rng_next(r) & 0x30);
	if (rng_percent(r, 3))
		p->flags = RNG_PICK(r, odd);
	pick_set(r, &p->mask);
	pick_set(r, &p->defaults);
	p->pgroup = RNG_PICK(r, groups);
	p->policy = RNG_PICK(r, policies);
	p->priority = RNG_PICK(r, priorities);
	if (p->policy == SCHED_OTHER && rng_percent(r, 70))
		p->priority = 0;
}

static void pick_file(struct rng *r, struct program *p)
{
	static const char *const files[] = {
		"missing",     "empty",	    "text",	  "ff-script",
		"orphan",      "symlink",   "loop",	  "busy",
		"setuid",      "sub",	    "",		  "file",
		"file/x",      "./witness", "../witness", "private/tool",
		"sub/witness", "bin2/tool", "/dev/null",  "witness",
	};
	static const char *const names[] = {
		"tool",	       "tool",	"tool",		"witness", "ff-script",
		"text",	       "empty", "no-such-tool", "",	   "./witness",
		"sub/witness", "busy",	"orphan",	"private", "target",
	};
	static const char *const paths[] = {
		"bin",
		"bin2:bin",
		"private:bin",
		":bin",
		"bin:",
		"",
		NULL,
		"missing:file:bin",
		".",
		"sub:.",
		"loop:bin",
		"/etc:/proc",
		"bin2:missing",
		"private",
		"bin2:private:missing",
		":::",
	};
	unsigned way = rng_below(r, 100);

	p->search = rng_percent(r, 35);
	p->path = RNG_PICK(r, paths);
	if (p->search && way < 5)
		p->path = long_search;
	if (p->search && way >= 95)
		p->path = in_scene("bin");
	if (way < 2)
		p->file = long_name;
	else if (way < 4)
		p->file = long_path;
	else if (way < 5)
		p->file = deep_path;
	else if (p->search)
		p->file = RNG_PICK(r, names);
	else
		p->file = way < 85 ? in_scene("witness") : RNG_PICK(r, files);
}

static void pick_strings(struct rng *r, struct program *p)
{
	static char *many[3001];
	static char *none[] = { NULL };
	static char *one[] = { "name", NULL };
	static char *odd[] = { "", "", "two words", "\xff\xfe", NULL };
	static char *big[] = { "name", big_argument, NULL };
	static char *plain_env[] = { "HOME=/", "PATH=bin2", NULL };
	static char *odd_env[] = { "no-equal-sign", "=", "A=1", "A=2", NULL };
	char **argvs[] = { one, one, one, one, odd, none, many, big };
	char **envps[] = { plain_env, plain_env, odd_env, none, environ };

	for (size_t i = 0; !many[0] && i < 3000; i++)
		many[i] = "argument";
	p->argv = RNG_PICK(r, argvs);
	if ((p->argv == many || p->argv == big) && rng_percent(r, 70))
		p->argv = one;
	p->envp = RNG_PICK(r, envps);
	if (rng_percent(r, 2))
		p->envp = NULL;
}

void program_make(struct program *ret, struct rng *r)
{
	make_strings();
	memset(ret, 0, sizeof(*ret));
	pick_attr(r, ret);
	pick_file(r, ret);
	pick_strings(r, ret);
	ret->pidfd = rng_percent(r, 10);
	ret->has_actions = rng_percent(r, 80);
	if (!ret->has_actions)
		return;
	ret->nr_actions = (int)rng_below(r, rng_percent(r, 80) ? 4 : 11);
	for (int i = 0; i < ret->nr_actions; i++)
		pick_action(r, &ret->actions[i]);
}
