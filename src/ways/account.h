/* What is written down of a fork. */
#ifndef FF_WAYS_ACCOUNT_H
#define FF_WAYS_ACCOUNT_H

#include "lazy/slot.h"
#include "site/site.h"

/* @name was called at @at, and is real: why. For the log. */
void ff_account_reason(const char *name, const void *at, const char *why);

/* The same, of one that fails: it would have been a copy. */
void ff_account_denied(const char *name, const void *at, const char *why);

/* A real fork that made a child. @site or NULL. */
void ff_account_real(struct ff_site *site);

/* What became of a lazy one, if any was made. @pid: fork's result. */
void ff_account(struct ff_slot *slot, struct ff_site *site, long pid,
		const char *name, const void *at);

#endif
