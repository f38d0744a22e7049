/* Registers as libunwind numbers them: its header for this processor has the
 * names. Included where that header is there. */
#ifndef FF_ARCH_UNWIND_H
#define FF_ARCH_UNWIND_H

#include <libunwind-x86_64.h>
#include <stddef.h>
#include <ucontext.h>

/* Where a process that runs on this processor is unwound from outside. */
#define FF_UNWIND_LIBRARY "libunwind-x86_64.so.8"
#define FF_UNWIND_SYMBOL(name) "_Ux86_64_" name

/* Its place among a context's registers, or -1. The library's numbers are
 * DWARF's, but for the first: its enum has them. */
static inline int ff_greg_of(unw_regnum_t reg)
{
	static const signed char gregs[] = {
		[UNW_X86_64_RAX] = REG_RAX, [UNW_X86_64_RDX] = REG_RDX,
		[UNW_X86_64_RCX] = REG_RCX, [UNW_X86_64_RBX] = REG_RBX,
		[UNW_X86_64_RSI] = REG_RSI, [UNW_X86_64_RDI] = REG_RDI,
		[UNW_X86_64_RBP] = REG_RBP, [UNW_X86_64_RSP] = REG_RSP,
		[UNW_X86_64_R8] = REG_R8,   [UNW_X86_64_R9] = REG_R9,
		[UNW_X86_64_R10] = REG_R10, [UNW_X86_64_R11] = REG_R11,
		[UNW_X86_64_R12] = REG_R12, [UNW_X86_64_R13] = REG_R13,
		[UNW_X86_64_R14] = REG_R14, [UNW_X86_64_R15] = REG_R15,
		[UNW_X86_64_RIP] = REG_RIP,
	};

	return reg >= 0 && (size_t)reg < sizeof(gregs) ? gregs[reg] : -1;
}

#endif
