/*
 * posix_spawn of a path that can't be read, behind a protection key or nowhere,
 * is an error, also where it is logged.
 *
 * Test: -g "can't be read" keyed-spawned
 */
#include "t.h"

#include <spawn.h>
#include <string.h>
#include <sys/mman.h>

static void spawn(const char *path)
{
	char *argv[] = { (char *)"report", NULL };
	pid_t pid;

	printf("%s\n",
	       strerror(posix_spawn(&pid, path, NULL, NULL, argv, argv + 1)));
}

int main(void)
{
	const int key = pkey_alloc(0, 0);
	char *path;

	if (key < 0)
		t_skip("no protection keys here");
	t_start(16);
	path = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(path != MAP_FAILED);
	strcpy(path, t_report);
	CHECK(!pkey_mprotect(path, 4096, PROT_READ | PROT_WRITE, key));
	CHECK(!pkey_set(key, PKEY_DISABLE_ACCESS));
	spawn(path);
	spawn((char *)8);
	return t_end();
}
