/*
 * denied [-o] WHAT PROGRAM [ARG...]: the program, with system calls failing
 * as deny.h says. -o: only where our posix_spawn is at work, for errors that
 * libc's own does not survive: the oracle is then libc on whole ground.
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
