/* What is written down of a fork. */
#ifndef FF_WAYS_ACCOUNT_H
#define FF_WAYS_ACCOUNT_H

#include <stdint.h>

#include "lazy/slot.h"
#include "site/site.h"
#include "site/tally.h"

/* A call, and since when it holds its caller (process/stopwatch.h). */
struct ff_account {
	struct ff_tally_call call;
	int64_t from;
};

/* @call is real: why. */
void ff_account_reason(const struct ff_tally_call *call, const char *why);

/* Told before it is made, as nothing can be told behind it; @n: 1, or -1 to
 * take that back. */
void ff_account_ahead(const struct ff_tally_call *call, const char *why, int n);

/* As the first, of a vfork or a spawn: it is left to libc. */
void ff_account_libc(const struct ff_tally_call *call, const char *why);

/* As the first, of a fork that fails: it would have been a copy. */
void ff_account_denied(const struct ff_tally_call *call, const char *why);

/* A real fork that made a child. @site or NULL. */
void ff_account_real(const struct ff_account *account, struct ff_site *site);

/* What became of a lazy one, if any was made. @pid: fork's result. */
void ff_account(struct ff_slot *slot, struct ff_site *site, long pid,
		const struct ff_account *account);

#endif
