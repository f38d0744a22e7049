/*
 * execve with 1 MiB of arguments and an environment, strings and both
 * vectors in absent memory: the new program hashes what it got. Also with a
 * string the child changed and one too long (E2BIG, then a second exec).
 *
 * Test: -l
 */
#include "t.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	MIB = 1 << 20,
	ARGS = 12,
	LONG = 90000
};

static void letters(char *p, size_t n, int seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = 'a' + (i * 7 + i / 26 + seed) % 26;
	p[n] = 0;
}

int main(void)
{
	char **args, **env, *area;
	uint64_t h = T_HASH0;

	t_start(64);
	area = t_anon(16 * MIB);
	args = (char **)(area + 4096 * 16 - 40);
	env = (char **)(area + 8 * MIB + 524288 - 16);
	args[0] = strcpy(area + 15 * MIB, "report");
	args[1] = strcpy(area + 15 * MIB + 4096 - 4, "hash-args");
	for (int i = 0; i < ARGS; i++) {
		char *p = area + MIB * (i + 1) - 100 - i;

		if (i == 6)
			p = (char *)t_block(30);
		letters(p, i == 6 ? 60000 : LONG, i);
		args[2 + i] = p;
		h = t_hash(h, p, strlen(p));
		h = t_hash(h, "\xff", 1);
	}
	args[2 + ARGS] = NULL;
	env[0] = strcpy(area + 14 * MIB, "T_FAR=yes");
	letters(area + 13 * MIB, 50000, 3);
	memcpy(area + 13 * MIB, "T_LONG=", 7);
	env[1] = area + 13 * MIB;
	env[2] = NULL;
	for (int i = 0; i < 3; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			if (i == 1)
				args[3][4321] = '!';
			if (i == 2) {
				char *p = area + 9 * MIB;

				memset(p, 'x', 200000);
				p[200000] = 0;
				args[4] = p;
				if (execve(t_report, args, env) == 0 ||
				    errno != E2BIG)
					_exit(2);
				p[1000] = 0;
			}
			execve(t_report, args, env);
			_exit(1);
		}
		t_reap(pid, "child");
	}
	printf("hash of the first: %016llx\n", (unsigned long long)h);
	t_fill(t_block(30), T_BLOCK);
	return t_end();
}
