/*
 * wordexp() with and without commands: words, errors, nothing left.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

static void expand(const char *text, int flags)
{
	wordexp_t we;
	int rc;

	memset(&we, 0, sizeof(we));
	fflush(stdout);
	rc = wordexp(text, &we, flags);
	printf("%s (%#x): %d", text, flags, rc);
	for (size_t i = 0; !rc && i < we.we_wordc; i++)
		printf(" [%s]", we.we_wordv[i]);
	printf("\n");
	if (!rc)
		wordfree(&we);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void *in_thread(void *arg)
{
	wordexp_t we;

	for (int i = 0; i < 10; i++) {
		CHECK(!wordexp("$(echo a b)c `echo d`", &we, 0));
		CHECK(we.we_wordc == 3 && !strcmp(we.we_wordv[1], "bc"));
		wordfree(&we);
	}
	return arg;
}

int main(void)
{
	static const char *const texts[] = {
		"plain words",
		"$HOME ${UNSET:-other} ${UNSET}",
		"'a b' \"c d\"",
		"$(echo one two)",
		"x`echo y`z",
		"\"$(echo one two)\"",
		"$(echo a; echo b)",
		"$(exit 3)",
		"$((1 + 2 * 3))",
		"$(printf 'a\\n\\n\\n')b",
		"$(echo out; echo err >&2)",
		"$(no-such-command)",
		"$(",
		"`",
		"a | b",
		"a & b",
		"(",
		"{",
		"/pro[c]/sel?",
		"~root",
		"$(echo $(echo inner))",
		"",
		"$(seq 1 3000 | tail -n 2)",
		"$(exec 0<&-; echo x)",
		"${UNSET:?not set}",
	};
	pthread_t thread[4];

	setenv("HOME", "/home/of me", 1);
	t_start(4);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		expand(texts[i], 0);
		expand(texts[i], WRDE_NOCMD);
		expand(texts[i], WRDE_SHOWERR | WRDE_UNDEF);
	}
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&thread[i], NULL, in_thread, NULL));
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(thread[i], NULL));
	return t_end();
}
