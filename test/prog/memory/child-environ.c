/*
 * setenv, unsetenv, putenv and "environ = mine" in the child before exec:
 * the new program has them, the parent does not.
 *
 * Test: -l
 */
#include "t.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void say(const char *who)
{
	const char *a = getenv("T_A"), *b = getenv("T_B"), *c = getenv("T_C");

	printf("%s: %s %s %s\n", who, a ? a : "-", b ? b : "-", c ? c : "-");
}

int main(void)
{
	static char put[] = "T_C=put";
	pid_t pid;

	t_start(64);
	setenv("T_A", "a", 1);
	setenv("T_B", "b", 1);
	pid = t_fork();
	if (pid == 0) {
		setenv("T_A", "a much longer value than there was before", 1);
		unsetenv("T_B");
		putenv(put);
		for (int i = 0; i < 200; i++) {
			char name[32];

			snprintf(name, sizeof(name), "T_%d", i);
			setenv(name, "x", 1);
		}
		t_exec_report("env");
	}
	t_reap(pid, "setenv");
	say("parent");
	pid = t_fork();
	if (pid == 0) {
		char **list = (char **)t_area;

		list[0] = strcpy((char *)t_area + (9 << 20), "T_A=from afar");
		list[1] = strcpy((char *)t_area + (11 << 20), "T_B=too");
		list[2] = NULL;
		environ = list;
		t_exec_report("env");
	}
	t_reap(pid, "environ");
	say("parent");
	pid = t_fork();
	if (pid == 0) {
		clearenv();
		t_exec_report("env");
	}
	t_reap(pid, "clearenv");
	say("parent");
	return t_end();
}
