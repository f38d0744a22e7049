#include "lazy/child/calls.h"

#include "lazy/child/child.h"

void ff_look(enum ff_lazy look, ucontext_t *uc, long nr)
{
	switch (look) {
#define X(name)                         \
	case FF_LAZY_##name:            \
		ff_look_##name(uc, nr); \
		return;
		FF_LOOKS(X)
#undef X
	default:
		ff_child_leave(uc, FF_REASON_CALL, nr);
	}
}

void ff_pass_request(ucontext_t *uc, long nr, unsigned long number)
{
	const struct ff_request_rule *rule = ff_request_rule(nr, number);

	if (rule->lazy == FF_LAZY_FREE)
		ff_pass(uc, nr, rule->signature);
	else if (rule->lazy == FF_LAZY_OUTPUT)
		ff_output(uc, nr, rule->signature);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}
