/*
 * denied [-o] WHAT PROGRAM [ARG...]: the program, with system calls failing
 * as deny.h says. -o: only where our posix_spawn is at work, for errors that
 * libc's own does not survive: the oracle is then libc on whole ground.
 *
 * Test: {spawn-errors,spawn-attributes,spawn-threads}-without-clone3
 *       clone3=ENOSYS $<TARGET_FILE:prog-{}>
 * Test: {spawn-errors,spawn-attributes,spawn-threads}-without-close-range
 *       close_range=ENOSYS $<TARGET_FILE:prog-{}>
 * Test: first-in-namespace-without-clone3
 *       clone3=ENOSYS $<TARGET_FILE:prog-first-in-namespace> spawns
 * Test: {spawn-errors,spawn-attributes}-clone3-EPERM
 *       -o clone3=EPERM $<TARGET_FILE:prog-{}>
 * Test: {spawn-errors,spawn-attributes}-clone3-EINVAL
 *       -o clone3=EINVAL $<TARGET_FILE:prog-{}>
 */
#include "deny.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ours(void)
{
	const char *state = getenv("FLATFORK");

	return getenv("LD_PRELOAD") && !(state && !strcmp(state, "off"));
}

int main(int argc, char **argv)
{
	bool always = true;

	if (argc > 1 && !strcmp(argv[1], "-o")) {
		always = false;
		argv++;
		argc--;
	}
	if (argc < 3)
		return 2;
	if ((always || ours()) && deny(argv[1])) {
		puts("skip: no such filter here");
		return 77;
	}
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
