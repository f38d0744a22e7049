/*
 * What was true of a process is not of its copy. Each room that keeps state of
 * its process registers what sets that right in a new one, so that nobody has
 * to know of all rooms.
 */
#ifndef FF_HOST_NEWBORN_H
#define FF_HOST_NEWBORN_H

typedef void (*ff_newborn)(void);

/*
 * To be called in every process that is new and on its own: a real fork's
 * child, a lazy one that is let go, a lent one that became a fork, a copy that
 * was made past us. All that is registered is done, in no order.
 * Context: any, dispatch armed or not: raw calls only.
 */
void ff_new_process(void);
/* The same where we may make no system call: what takes one is left for the
 * first call of the above. */
void ff_new_process_silently(void);

#define FF_NEWBORN(function, where)                \
	static const ff_newborn newborn_##function \
		__attribute__((used, section(where))) = function

/* Behind the definition of void function(void), which makes no system call; and
 * of one that does. */
#define FF_IN_NEW_PROCESS(function) FF_NEWBORN(function, "ff_newborn")
#define FF_IN_NEW_PROCESS_BY_CALLS(function) \
	FF_NEWBORN(function, "ff_newborn_calls")

#endif
