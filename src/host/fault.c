#include "host/fault.h"

#include <stddef.h>
#include <string.h>

#include "arch/hot.h"

unsigned ff_faults FF_HOT;

static const char *const fault_name[] = {
#define X(id, name, what) name,
	FF_FAULTS(X)
#undef X
};

bool ff_fault_once(enum ff_fault f)
{
	bool is = ff_fault(f);

	if (is)
		ff_faults &= ~(1u << f);
	return is;
}

void ff_faults_load(const char *names)
{
	size_t len;
	unsigned i;

	for (; names && *names; names += len + (names[len] == ',')) {
		len = strcspn(names, ",");
		for (i = 0; i < FF_FAULT_COUNT; i++)
			if (strlen(fault_name[i]) == len &&
			    memcmp(fault_name[i], names, len) == 0)
				ff_faults |= 1u << i;
	}
}
