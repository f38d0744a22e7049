/*
 * What the program has said of its memory and fork, as far as it was seen: of
 * MADV_WIPEONFORK the ranges, which move and go with their memory, and of
 * MADV_DONTFORK whether there is any, and where it was.
 */
#ifndef FF_PROCESS_NOTED_H
#define FF_PROCESS_NOTED_H

#include <stdbool.h>
#include <stdint.h>

/* Those that change it hold the gate, as for a real fork. */
void ff_noted_add(uintptr_t start, uintptr_t end, bool wiped);
void ff_noted_take_back(uintptr_t start, uintptr_t end, bool wiped);
/* Nothing is there any more. */
void ff_noted_drop(uintptr_t start, uintptr_t end);
/* What was noted of [start, end) is true of [to, to_end), and no more. */
void ff_noted_copy(uintptr_t start, uintptr_t end, uintptr_t to,
		   uintptr_t to_end);

/* In a new process: nobody is changing it. */
void ff_noted_reset(void);

/* Is any of it to be left to the kernel? */
bool ff_noted_any_in(uintptr_t start, uintptr_t end);
/* Is some of it wiped in children? Also asked without the gate: whoever asks
 * changes that memory himself. */
bool ff_noted_wiped(uintptr_t start, uintptr_t end);

bool ff_noted_any(void);
bool ff_noted_any_dontfork(void);

#endif
