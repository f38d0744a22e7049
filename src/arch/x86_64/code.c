/* What can be told from instructions: they are read where a thread stands, and
 * nothing is called. Async-signal-safe. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "arch/arch.h"

#define PAGE 4096
#define LONGEST 8 /* bytes looked at before an address */

static int is_syscall(const unsigned char *at)
{
	return at[0] == 0x0f && at[1] == 0x05;
}

/* mov $nr, %eax or xor %eax, %eax, then the call at @call. */
static long number_before(const unsigned char *call)
{
	int32_t nr;

	if (call[-2] == 0x31 && call[-1] == 0xc0)
		return 0;
	if (call[-5] != 0xb8)
		return -1;
	memcpy(&nr, call - 4, sizeof(nr));
	return nr;
}

static int is_behind(uintptr_t address)
{
	return address % PAGE >= LONGEST &&
	       is_syscall((const unsigned char *)address - 2);
}

int ff_stands_behind_call(const ucontext_t *uc)
{
	uintptr_t address = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];

	return address % PAGE >= 2 &&
	       is_syscall((const unsigned char *)address - 2) &&
	       address - (uintptr_t)ff_sys_begin >=
		       (uintptr_t)(ff_sys_end - ff_sys_begin);
}

int ff_call_repeats(const ucontext_t *uc)
{
	uintptr_t address = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];

	return address % PAGE <= PAGE - 2 &&
	       is_syscall((const unsigned char *)address);
}

long ff_call_at(const ucontext_t *uc)
{
	uintptr_t address = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	const unsigned char *at = (const unsigned char *)address;

	if (ff_call_repeats(uc))
		return (long)uc->uc_mcontext.gregs[REG_RAX];
	return is_behind(address) ? number_before(at - 2) : -1;
}

int ff_call_was_interrupted(const ucontext_t *uc)
{
	return is_behind((uintptr_t)uc->uc_mcontext.gregs[REG_RIP]) &&
	       uc->uc_mcontext.gregs[REG_RAX] == -EINTR;
}

/* call *r/m: opcode, a byte that says so, and up to five bytes of address. */
static int is_indirect(const unsigned char *opcode)
{
	return opcode[0] == 0xff && (opcode[1] & 0x38) == 0x10;
}

int ff_is_behind_call(uintptr_t address)
{
	const unsigned char *at = (const unsigned char *)address;

	return at[-5] == 0xe8 || is_indirect(at - 2) || is_indirect(at - 3) ||
	       is_indirect(at - 4) || is_indirect(at - 6) ||
	       is_indirect(at - 7);
}
