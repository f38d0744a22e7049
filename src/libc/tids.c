#include "libc/tids.h"

#include <linux/futex.h>
#include <stdbool.h>

#include "arch/arch.h"

static bool is_lent(uint32_t word)
{
	return (word & FUTEX_TID_MASK) == (uint32_t)FF_LENT_TID;
}

static uint32_t changed(uint32_t word, pid_t now)
{
	return (word & ~(uint32_t)FUTEX_TID_MASK) | (uint32_t)now;
}

void ff_tids_change(void *memory, size_t bytes, pid_t now)
{
	uint32_t *word = memory;
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i++)
		if (is_lent(word[i]))
			word[i] = changed(word[i], now);
}

void ff_tids_change_registers(ucontext_t *uc, pid_t now)
{
	static const int general[] = { FF_GENERAL_REGISTERS };
	uint64_t *all = ff_registers(uc), *r;
	size_t i;

	for (i = 0; i < sizeof(general) / sizeof(*general); i++) {
		r = &all[general[i]];
		if (is_lent((uint32_t)*r))
			*r = (*r >> 32 << 32) | changed((uint32_t)*r, now);
	}
}
