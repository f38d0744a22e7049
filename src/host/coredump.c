#include "host/coredump.h"

#include <stdatomic.h>
#include <sys/utsname.h>

#include "host/fault.h"
#include "host/sys.h"

enum {
	UNKNOWN,
	HARMLESS,
	KILLS,
};

static _Atomic int answer;

static int number(const char **s)
{
	int n = 0;

	for (; **s >= '0' && **s <= '9'; ++*s)
		n = n * 10 + (**s - '0');
	return n;
}

static bool is_before_5_16(void)
{
	struct utsname name;
	const char *s = name.release;
	int major, minor;

	if (sys(uname, &name) < 0)
		return true;
	major = number(&s);
	s += *s == '.';
	minor = number(&s);
	return major < 5 || (major == 5 && minor < 16);
}

bool ff_core_dump_kills_sharers(void)
{
	if (ff_fault(FF_FAULT_CORE_KILLS))
		return true;
	if (atomic_load(&answer) == UNKNOWN)
		atomic_store(&answer, is_before_5_16() ? KILLS : HARMLESS);
	return atomic_load(&answer) == KILLS;
}
