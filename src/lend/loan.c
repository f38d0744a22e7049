/*
 * Loans are kept for the next vfork (host/shelf.h). Each lies in a mapping of
 * its own: guard page, stack of the waiting parent, guard page, the child's
 * alternate stack, guard page, its envoy's stack, the loan.
 */
#include "lend/loan.h"

#include <sys/mman.h>

#include "host/page.h"
#include "host/shelf.h"
#include "host/sys.h"

struct mapping {
	char guard[FF_PAGE];
	char stack[FF_LOAN_STACK_BYTES];
	char guard_of_altstack[FF_PAGE];
	char altstack[FF_LOAN_ALTSTACK_BYTES];
	char guard_of_envoy[FF_PAGE];
	char envoy_stack[FF_LOAN_ENVOY_BYTES];
	struct ff_loan loan;
};

_Thread_local struct ff_loan *ff_loan
	__attribute__((tls_model("initial-exec")));

static struct ff_shelf kept; /* struct mapping */

static struct mapping *mapping_of(struct ff_loan *loan)
{
	return (struct mapping *)((char *)loan -
				  offsetof(struct mapping, loan));
}

static struct mapping *map_one(void)
{
	struct mapping *m;
	long at =
		sys(mmap, NULL, sizeof(struct mapping), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1,
		    0);

	if (ff_is_error(at))
		return NULL;
	m = (struct mapping *)at;
	sys(mprotect, m->guard, FF_PAGE, PROT_NONE);
	sys(mprotect, m->guard_of_altstack, FF_PAGE, PROT_NONE);
	sys(mprotect, m->guard_of_envoy, FF_PAGE, PROT_NONE);
	return m;
}

struct ff_loan *ff_loan_take(void)
{
	struct mapping *m = ff_shelf_take(&kept);

	if (!m)
		m = map_one();
	return m ? &m->loan : NULL;
}

void ff_loan_put(struct ff_loan *loan)
{
	struct mapping *m = mapping_of(loan);

	if (!ff_shelf_put(&kept, m))
		sys(munmap, m, sizeof(*m));
}

void *ff_loan_stack(struct ff_loan *loan)
{
	return mapping_of(loan)->guard_of_altstack;
}

void *ff_loan_altstack(struct ff_loan *loan)
{
	return mapping_of(loan)->altstack;
}

void *ff_loan_envoy_stack(struct ff_loan *loan)
{
	return loan;
}
