/*
 * Hazards
 *  H-R1 Others take processes as well: what is left is no less than MARGIN
 *       when it is looked at. A borrower that is refused all the same tries
 *       again for a while (become.c).
 *  H-R2 A cgroup above the root of a cgroup namespace is not to be seen. Nor is
 *       how many numbers of a pid namespace are taken: no more than there are
 *       threads, all in all, and the first RESERVED are not given out again.
 */
#include "lend/headroom.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>

#include "host/file.h"
#include "host/ground.h"
#include "host/sys.h"

#define MARGIN 32
#define RESERVED 300 /* RESERVED_PIDS */
#define FIRST_CGROUP_NAMESPACE "cgroup:[4026531835]"
#define PATH_BYTES 512

/* Its length, or -errno; -E2BIG: more than fits. */
static long read_file(const char *path, char *buffer, size_t size)
{
	long got = ff_read_file(path, buffer, size);

	return got == (long)size - 1 ? -E2BIG : got;
}

/* A directory of a cgroup; files in it are named behind its end. */
struct level {
	char path[PATH_BYTES];
	size_t root, end; /* of the mount point; of the directory */
};

static bool set_level(struct level *l, const char *mount, const char *path,
		      size_t length)
{
	l->root = strlen(mount);
	if (length == 1)
		length = 0; /* "/" */
	l->end = l->root + length;
	if (l->end + sizeof("/pids.current") > sizeof(l->path))
		return false;
	memcpy(l->path, mount, l->root);
	memcpy(l->path + l->root, path, length);
	return true;
}

/* As read_file(). */
static long read_of_level(struct level *l, const char *file, char *text,
			  size_t size)
{
	strcpy(l->path + l->end, file);
	return read_file(l->path, text, size);
}

static bool level_has_room(struct level *l, bool *ret_seen)
{
	char most[32], now[32];

	if (read_of_level(l, "/pids.max", most, sizeof(most)) <= 0)
		return true;
	*ret_seen = true;
	if (most[0] == 'm') /* max */
		return true;
	return read_of_level(l, "/pids.current", now, sizeof(now)) > 0 &&
	       ff_number_at(now) + MARGIN <= ff_number_at(most);
}

static bool is_in_first_namespace(void)
{
	static const char first[] = FIRST_CGROUP_NAMESPACE;
	char name[64];

	return sys(readlinkat, AT_FDCWD, "/proc/self/ns/cgroup", name,
		   sizeof(name)) == (long)sizeof(first) - 1 &&
	       memcmp(name, first, sizeof(first) - 1) == 0;
}

/* The cgroup at @path, and all above it. */
static bool cgroups_have_room(const char *mount, const char *path,
			      size_t length)
{
	bool seen = length == 1 && is_in_first_namespace();
	struct level l;
	char text[16];
	long got;

	if (!set_level(&l, mount, path, length))
		return false;
	/* -ENOENT: it is another tree that is seen here */
	got = read_of_level(&l, "/cgroup.procs", text, sizeof(text));
	if (got >= 0 || got == -E2BIG)
		seen = true;
	for (;;) {
		if (!level_has_room(&l, &seen))
			return false;
		if (l.end == l.root)
			return seen;
		while (l.end > l.root && l.path[--l.end] != '/')
			;
	}
}

/* Is "pids" among the words from @s to @end? */
static bool has_pids(const char *s, const char *end)
{
	for (; end - s >= 4; s++)
		if (memcmp(s, "pids", 4) == 0 && (s[4] == ',' || s[4] == ':'))
			return true;
	return false;
}

static const char *mount_of_second(void)
{
	struct statfs s = { 0 };

	return sys(statfs, "/sys/fs/cgroup", &s) == 0 &&
			       s.f_type == CGROUP2_SUPER_MAGIC ?
		       "/sys/fs/cgroup" :
		       "/sys/fs/cgroup/unified";
}

/* Lines of "number:controllers:path"; of the second version "0::path". Where
 * the first version has the controller, the second has not. */
static bool pids_have_room(void)
{
	const char *line, *words, *path, *end, *second = NULL;
	size_t second_length = 0;
	char text[4096];
	long got = read_file("/proc/self/cgroup", text, sizeof(text));

	/* a kernel without cgroups; and where none was ever mounted the file is
	 * empty */
	if (got < 0)
		return got == -ENOENT;
	for (line = text; *line; line = end + 1) {
		words = strchr(line, ':');
		path = words ? strchr(++words, ':') : NULL;
		end = path ? strchr(++path, '\n') : NULL;
		if (!end)
			return false;
		if (has_pids(words, path))
			return cgroups_have_room("/sys/fs/cgroup/pids", path,
						 (size_t)(end - path));
		if (words + 1 == path) {
			second = path;
			second_length = (size_t)(end - path);
		}
	}
	return !second ||
	       cgroups_have_room(mount_of_second(), second, second_length);
}

/* Threads of the machine: the second number of "0.24 0.17 0.10 2/144 28077". */
static bool count_threads(uint64_t *ret_threads)
{
	char text[128];
	const char *at = read_file("/proc/loadavg", text, sizeof(text)) > 0 ?
				 strchr(text, '/') :
				 NULL;

	if (at)
		*ret_threads = ff_number_at(at + 1);
	return at != NULL;
}

static bool is_below(const char *file, uint64_t needed)
{
	char most[32];

	return read_file(file, most, sizeof(most)) > 0 &&
	       needed <= ff_number_at(most);
}

/* pid_max is the namespace's own from Linux 6.14 on. */
static bool numbers_have_room(void)
{
	uint64_t threads;

	return count_threads(&threads) &&
	       is_below("/proc/sys/kernel/threads-max", threads + MARGIN) &&
	       is_below("/proc/sys/kernel/pid_max",
			threads + RESERVED + MARGIN);
}

/* The heuristic refuses single mappings that are bigger than all there is. */
static bool memory_has_room(void)
{
	uint64_t resident, writable = 0;
	struct sysinfo si;
	char policy[8];

	if (read_file("/proc/sys/vm/overcommit_memory", policy,
		      sizeof(policy)) <= 0)
		return false;
	if (policy[0] == '1')
		return true;
	return policy[0] == '0' && ff_process_size(&resident, &writable) &&
	       sys(sysinfo, &si) == 0 &&
	       writable <= ((uint64_t)si.totalram + si.totalswap) * si.mem_unit;
}

bool ff_headroom_in_sight(void)
{
	return memory_has_room() && numbers_have_room() && pids_have_room();
}

static bool processes_are_limited(struct rlimit *ret_limit)
{
	return sys(prlimit64, 0, RLIMIT_NPROC, NULL, ret_limit) < 0 ||
	       ret_limit->rlim_cur != RLIM_INFINITY;
}

bool ff_headroom_reserve(struct rlimit *ret_was)
{
	struct rlimit less;

	if (!processes_are_limited(ret_was))
		return false;
	less = *ret_was;
	less.rlim_cur = less.rlim_cur > MARGIN ? less.rlim_cur - MARGIN : 0;
	return sys(prlimit64, 0, RLIMIT_NPROC, &less, NULL) == 0;
}

/* What it was is always allowed; so whatever refuses it does not for good. */
bool ff_headroom_release(const struct rlimit *was)
{
	return sys(prlimit64, 0, RLIMIT_NPROC, was, NULL) == 0 ||
	       sys(prlimit64, 0, RLIMIT_NPROC, was, NULL) == 0;
}

bool ff_headroom_is_unlimited(void)
{
	struct rlimit limit;

	return !processes_are_limited(&limit);
}
