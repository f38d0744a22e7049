/* One child that asks what a filter allows, and its end. */
#ifndef FF_PROCESS_ASKER_H
#define FF_PROCESS_ASKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "process/ask.h"

/* Between a child and its parent. */
struct ff_asking {
	/* 1; the kernel clears it where memory is shared, the child itself
	 * where it is a copy */
	_Atomic uint32_t alive;
	_Atomic uint32_t at; /* child: what is being asked, plus 1 */
	/* Either; the first answer counts. */
	_Atomic uint8_t answer[FF_ASK_COUNT];
	/* Parent, before the clone. */
	unsigned need;
	bool all;
	bool shares; /* its parent's memory */
};

/* Who can't do these can't ask, and is not got rid of. */
#define FF_ASK_PREPARATIONS (FF_ASK_wait4 + 1)

bool ff_asks_wants(unsigned i, unsigned need, bool all);

int64_t ff_asker_now_ns(void);

/* Of that, what this process was there to look: not that in which it was
 * stopped, or had no processor, once. For who asks, who begins by
 * ff_asker_watch(): it says what it is then. */
int64_t ff_asker_watch(void);
int64_t ff_asker_watched_ns(void);

/*
 * One child; by @deadline_ns of ff_asker_watched_ns(), what is asked then has
 * no answer. 0; -errno: it did not come to a question; -ETIMEDOUT: it can't be
 * ended.
 * Context: as ff_ask().
 */
long ff_asker_run(struct ff_asking *a, int64_t deadline_ns);

/* Are there any that nobody has reaped, and may it still be asked how? */
bool ff_askers_are_left(const struct ff_asking *a);

#endif
