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

static bool is_before_5_16(const char *release)
{
	int major = number(&release), minor;

	release += *release == '.';
	minor = number(&release);
	return major < 5 || (major == 5 && minor < 16);
}

void ff_core_dump_learn(const char *release)
{
	atomic_store(&answer, is_before_5_16(release) ? KILLS : HARMLESS);
}

bool ff_core_dump_kills_sharers(void)
{
	struct utsname name;

	if (ff_fault(FF_FAULT_CORE_KILLS))
		return true;
	if (atomic_load(&answer) == UNKNOWN)
		ff_core_dump_learn(sys(uname, &name) < 0 ? "" : name.release);
	return atomic_load(&answer) == KILLS;
}
