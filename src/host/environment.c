#include "host/environment.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* ld.so's: where the kernel put argc, behind it the arguments, a NULL, and the
 * environment. */
extern void *__libc_stack_end;

bool ff_libc_has_begun(void)
{
	return environ != NULL;
}

char *const *ff_environment(void)
{
	char **argv = (char **)__libc_stack_end + 1;

	return environ ? environ : argv + *(long *)__libc_stack_end + 1;
}

const char *ff_environment_value(const char *name)
{
	char *const *at = ff_environment();
	size_t n = strlen(name);

	for (; *at; at++)
		if (!strncmp(*at, name, n) && (*at)[n] == '=')
			return *at + n + 1;
	return NULL;
}
