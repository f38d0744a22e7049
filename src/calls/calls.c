#include "calls/calls.h"

#include <linux/audit.h>
#include <sys/syscall.h>

#include "arch/arch.h"

/* Facts. Only R is asked for. */
enum {
	N,
	W = 0,
	O = 0,
	P = 0,
	G = 0,
	L = 0,
	M = 0,
	R = 1
};

#define FF_CALL(nr, name, signature, lazy, fence, waits, fork, vfork, facts) \
	[nr] = { FF_LAZY_##lazy,                                             \
		 FF_FENCE_##fence,                                           \
		 FF_WAITS_##waits,                                           \
		 FF_FORK_##fork,                                             \
		 facts,                                                      \
		 FF_VFORK_##vfork,                                           \
		 signature },
static const struct ff_call calls[] = {
#include "calls/calls.def"
};
#undef FF_CALL

static const struct ff_call unknown;

/* The numbers of calls, also of such as the system's headers do not know. */
#define FF_CALL(nr, name, signature, lazy, fence, waits, fork, vfork, facts) \
	NR_##name = nr,
enum {
#include "calls/calls.def"
};
#undef FF_CALL

#define FF_FLAGS(call, argument, mask)
#define FF_KEEPS(call, number)
#define FF_REQUEST(call, request, number, signature, lazy, fence, vfork) \
	{ number,	    NR_##call,	      FF_LAZY_##lazy,            \
	  FF_FENCE_##fence, FF_VFORK_##vfork, signature },
static const struct ff_request_rule requests[] = {
#include "calls/requests.def"
};
#undef FF_REQUEST
#undef FF_FLAGS

static const struct ff_request_rule unknown_request;

#define FF_REQUEST(call, request, number, signature, lazy, fence, vfork)
#define FF_FLAGS(call, argument, mask) { mask, NR_##call, argument },
static const struct {
	uint32_t mask;
	uint16_t nr;
	uint8_t argument;
} flags[] = {
#include "calls/requests.def"
};
#undef FF_FLAGS
#undef FF_KEEPS

#define FF_FLAGS(call, argument, mask)
#define FF_KEEPS(call, number) { number, NR_##call },
static const struct {
	uint32_t number;
	uint16_t nr;
} keeps[] = {
#include "calls/requests.def"
};
#undef FF_KEEPS
#undef FF_REQUEST
#undef FF_FLAGS

const struct ff_call *ff_call(long nr)
{
	if (nr < 0 || (size_t)nr >= sizeof(calls) / sizeof(calls[0]))
		return &unknown;
	return &calls[nr];
}

bool ff_names_a_file(const struct ff_call *call)
{
	int i;

	for (i = 0; i < FF_CALL_ARGUMENTS && call->signature[i]; i++)
		if (call->signature[i] == 's')
			return call->fence != FF_FENCE_exec;
	return false;
}

const struct ff_request_rule *ff_request_rule(long nr, unsigned long number)
{
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].number == number && requests[i].nr == nr)
			return &requests[i];
	return &unknown_request;
}

bool ff_has_odd_flags(const ucontext_t *uc, long nr)
{
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].nr == nr)
			return ((uint32_t)ff_arg(uc, flags[i].argument) &
				~flags[i].mask) != 0;
	return false;
}

bool ff_may_change_rights(const ucontext_t *uc, long nr)
{
	size_t i;

	if (!ff_call(nr)->rights)
		return false;
	for (i = 0; i < sizeof(keeps) / sizeof(keeps[0]); i++)
		if (keeps[i].nr == nr &&
		    keeps[i].number == (uint32_t)ff_arg(uc, 0))
			return false;
	return true;
}

long ff_call_number(const siginfo_t *info)
{
	return info->si_arch == FF_AUDIT_ARCH ?
		       info->si_syscall :
		       FF_OTHER_ABI | (uint32_t)info->si_syscall;
}

size_t ff_bytes_written(char kind)
{
	switch (kind) {
	case '\0':
	case '-':
	case 'f':
	case 's':
	case 'a':
	case 'r':
	case 'c':
	case 'w':
	case 'g':
		return 0;
	case '4':
		return 4;
	case '8':
		return 8;
	case 'd':
		return 16;
	case 't':
		return 144;
	case 'T':
		return 256;
	default:
		return SIZE_MAX;
	}
}
