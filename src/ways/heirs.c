/* Rules: no allocation, no lock, no system call. */
#include "ways/heirs.h"

#include <string.h>

#include "arch/hot.h"
#include "libc/environment.h"

_Atomic bool ff_heirs_are_without_us FF_HOT;

static bool is_ours(const char *entry, size_t n)
{
	static const char name[] = "libflatfork-preload.so";
	const size_t length = sizeof(name) - 1;

	return n >= length && !memcmp(entry + n - length, name, length) &&
	       (n == length || entry[n - length - 1] == '/');
}

static bool is_separator(char c)
{
	return c == ' ' || c == ':';
}

bool ff_take_us_out(char *list)
{
	char *to = list, *end = list + strlen(list);
	bool is_there = false;
	size_t n, all;

	for (char *at = list; at < end; at += all) {
		n = strcspn(at, " :");
		all = n + (at[n] != '\0');
		if (is_ours(at, n)) {
			is_there = true;
			continue;
		}
		if (to != at)
			memmove(to, at, all);
		to += all;
	}
	if (is_there && to > list && !is_separator(end[-1]) &&
	    is_separator(to[-1]))
		to--;
	memset(to, 0, (size_t)(end - to));
	return is_there;
}

void ff_leave_environment(void)
{
	static const char key[] = "LD_PRELOAD=";
	const size_t n = sizeof(key) - 1;
	char **at = (char **)ff_environment();

	while (*at) {
		if (strncmp(*at, key, n) != 0 || !ff_take_us_out(*at + n) ||
		    (*at)[n]) {
			at++;
			continue;
		}
		memset(*at, 0, n);
		for (char **next = at; *next; next++)
			next[0] = next[1];
	}
}
