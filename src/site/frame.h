/*
 * Where the frame of a calling function ends: its CFA (canonical frame
 * address), from the unwind tables of the object it lies in. Only what one
 * call site needs, without libunwind: this is asked in vfork(), where nothing
 * may be loaded, allocated or locked. libunwind is the oracle of its test.
 */
#ifndef FF_SITE_FRAME_H
#define FF_SITE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

enum ff_frame_base {
	FF_FRAME_UNKNOWN,
	FF_FRAME_SP,
	FF_FRAME_FP,
};

/* CFA = base + offset; the return address is the word below the CFA. */
struct ff_frame_rule {
	enum ff_frame_base base;
	int32_t offset;
	int32_t fp_at; /* the caller's fp, from the CFA; 0: it is in fp */
};

#define FF_FRAME_FP_LOST 1 /* fp_at: it is in neither place */

/*
 * The rule in force behind the call that returns to @return_address, with sp
 * as it is after that return. False where the tables have none, or one that
 * is not of this simple form (an expression, a signal frame, no return
 * address). Async-signal-safe.
 */
bool ff_frame_rule_at(uintptr_t return_address, struct ff_frame_rule *ret_rule);

/*
 * The return addresses above the call that returns to @ip, with sp and fp
 * as they are after that return: at most @most. Returns how many were found.
 */
unsigned ff_frame_callers(uintptr_t ip, uintptr_t sp, uintptr_t fp,
			  uintptr_t *ret_callers, unsigned most);

#endif
