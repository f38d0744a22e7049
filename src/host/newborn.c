#include "host/newborn.h"

/* By the linker: where the sections begin and end; nowhere, if they are empty. */
#define BOUND __attribute__((visibility("hidden"), weak))
extern BOUND const ff_newborn begin[] __asm__("__start_ff_newborn");
extern BOUND const ff_newborn end[] __asm__("__stop_ff_newborn");
extern BOUND const ff_newborn calls_begin[] __asm__("__start_ff_newborn_calls");
extern BOUND const ff_newborn calls_end[] __asm__("__stop_ff_newborn_calls");

void ff_new_process_silently(void)
{
	const ff_newborn *one;

	for (one = begin; one < end; one++)
		(*one)();
}

void ff_new_process(void)
{
	const ff_newborn *one;

	ff_new_process_silently();
	for (one = calls_begin; one < calls_end; one++)
		(*one)();
}
