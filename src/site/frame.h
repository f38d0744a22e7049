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
	FF_FRAME_RSP,
	FF_FRAME_RBP,
};

/* CFA = base + offset; the return address is the word below the CFA. */
struct ff_frame_rule {
	enum ff_frame_base base;
	int32_t offset;
	int32_t rbp_at; /* the caller's rbp, from the CFA; 0: it is in rbp */
};

#define FF_FRAME_RBP_LOST 1 /* rbp_at: it is in neither place */

/*
 * The rule in force behind the call that returns to @return_address, with rsp
 * as it is after that return. False where the tables have none, or one that
 * is not of this simple form (an expression, a signal frame, no return
 * address). Async-signal-safe.
 */
bool ff_frame_rule_at(uintptr_t return_address, struct ff_frame_rule *ret_rule);

/*
 * The return addresses above the call that returns to @ip, with rsp and rbp
 * as they are after that return: at most @most. Returns how many were found.
 */
unsigned ff_frame_callers(uintptr_t ip, uintptr_t rsp, uintptr_t rbp,
			  uintptr_t *ret_callers, unsigned most);

#endif
