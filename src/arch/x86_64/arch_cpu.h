/*
 * x86-64: the types, numbers and short bodies that arch.h declares; what they
 * are for is said there. Included by it alone.
 */
#ifndef FF_ARCH_CPU_H
#define FF_ARCH_CPU_H

#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "arch/call.h"

#define FF_CALL_BYTES 2 /* of the instruction */

/* Beyond the red zone. */
#define FF_PASS_BACK ((uintptr_t)136)

/* Where a call returns to, and what it must bring back. In this order:
 * vfork.S, lend.S. */
struct ff_caller {
	uint64_t rbx, fp, r12, r13, r14, r15;
	uint64_t sp; /* behind the return */
	uint64_t pc;
};

/* For ff_again(), on the program's stack. In this order: again.S. */
struct ff_again {
	uint64_t mask;
	void *ret_mask; /* or NULL */
	uint64_t rax, rdi, rsi, rdx, r10, rip;
};

#define FF_RED_ZONE 128

/* Registers that a program computes in, by their place among all. */
#define FF_GENERAL_REGISTERS                                                   \
	REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8, \
		REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15

/* What tables of frames call the stack pointer, the register that frames are
 * found by, and the return address (System V ABI, 3.6.2). */
#define FF_DWARF_FP 6
#define FF_DWARF_SP 7
#define FF_DWARF_RETURN 16

/* e_machine of programs for this processor (elf.h). */
#define FF_ELF_MACHINE EM_X86_64
/* Of what a program may map, with four levels of page tables. */
#define FF_USER_END (((uintptr_t)1 << 47) - 4096)
/* linux/audit.h */
#define FF_AUDIT_ARCH AUDIT_ARCH_X86_64

static inline void ff_zero(uint64_t *words, size_t count)
{
	__asm__ volatile("rep stosq"
			 : "+D"(words), "+c"(count)
			 : "a"(0)
			 : "memory");
}

static inline uint64_t *ff_registers(const ucontext_t *uc)
{
	return (uint64_t *)uc->uc_mcontext.gregs;
}

static inline long ff_arg(const ucontext_t *uc, int i)
{
	static const int reg[6] = { REG_RDI, REG_RSI, REG_RDX,
				    REG_R10, REG_R8,  REG_R9 };

	return uc->uc_mcontext.gregs[reg[i]];
}

static inline void ff_move_arg(ucontext_t *uc, int from, int to)
{
	static const int reg[6] = { REG_RDI, REG_RSI, REG_RDX,
				    REG_R10, REG_R8,  REG_R9 };

	uc->uc_mcontext.gregs[reg[to]] = uc->uc_mcontext.gregs[reg[from]];
}

static inline void ff_set_result(ucontext_t *uc, long result)
{
	uc->uc_mcontext.gregs[REG_RAX] = result;
}

static inline long ff_result(const ucontext_t *uc)
{
	return uc->uc_mcontext.gregs[REG_RAX];
}

static inline void ff_rewind(ucontext_t *uc, long nr)
{
	uc->uc_mcontext.gregs[REG_RIP] -= FF_CALL_BYTES;
	uc->uc_mcontext.gregs[REG_RAX] = (uint32_t)nr;
}

static inline void ff_fail_call(ucontext_t *uc, long error)
{
	uc->uc_mcontext.gregs[REG_RIP] += FF_CALL_BYTES;
	uc->uc_mcontext.gregs[REG_RAX] = error;
}

static inline uintptr_t ff_stack_pointer(const ucontext_t *uc)
{
	return (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
}

static inline void ff_set_stack_pointer(ucontext_t *uc, uintptr_t sp)
{
	uc->uc_mcontext.gregs[REG_RSP] = (greg_t)sp;
}

static inline void ff_jump(ucontext_t *uc, void (*to)(void))
{
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)to;
}

static inline void ff_frame_was_moved(ucontext_t *uc, ptrdiff_t by)
{
	if (uc->uc_mcontext.fpregs)
		uc->uc_mcontext.fpregs =
			(fpregset_t)((uintptr_t)uc->uc_mcontext.fpregs +
				     (uintptr_t)by);
}

static inline uintptr_t ff_goes_on_at(const ucontext_t *uc)
{
	return (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
}

static inline void ff_go_on_at(ucontext_t *uc, uintptr_t at)
{
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)at;
}

static inline int ff_exec_is_ahead(const ucontext_t *uc)
{
	return uc->uc_mcontext.gregs[REG_RIP] ==
	       (greg_t)(uintptr_t)ff_exec_through;
}

static inline int ff_exec_is_behind(const ucontext_t *uc)
{
	const greg_t at = uc->uc_mcontext.gregs[REG_RIP];

	return at > (greg_t)(uintptr_t)ff_exec_through &&
	       at <= (greg_t)(uintptr_t)ff_exec_answered + FF_CALL_BYTES;
}

static inline void ff_take_signals_first(ucontext_t *uc, uint64_t mask,
					 void *ret_mask)
{
	greg_t *reg = uc->uc_mcontext.gregs;
	struct ff_again *again =
		(struct ff_again *)(reg[REG_RSP] - FF_RED_ZONE) - 1;

	*again = (struct ff_again){
		.mask = mask,
		.ret_mask = ret_mask,
		.rax = (uint64_t)reg[REG_RAX],
		.rdi = (uint64_t)reg[REG_RDI],
		.rsi = (uint64_t)reg[REG_RSI],
		.rdx = (uint64_t)reg[REG_RDX],
		.r10 = (uint64_t)reg[REG_R10],
		.rip = (uint64_t)reg[REG_RIP],
	};
	reg[REG_RSP] = (greg_t)(uintptr_t)again;
	reg[REG_RIP] = (greg_t)(uintptr_t)ff_again;
}

static inline int ff_peek_fixup(ucontext_t *uc)
{
	if (uc->uc_mcontext.gregs[REG_RIP] != (greg_t)(uintptr_t)ff_peek_load)
		return 0;
	ff_jump(uc, ff_peek_failed);
	return 1;
}

static inline void ff_relax(void)
{
	__builtin_ia32_pause();
}

static inline long ff_shadow_stack_status(unsigned long *ret_status)
{
	/* ARCH_SHSTK_STATUS, Linux 6.6 */
	return ff_sys(SYS_arch_prctl, 0x5005, (long)ret_status, 0, 0, 0, 0);
}

static inline int ff_on_valgrind(void)
{
	const unsigned long request[6] = { 0x1001 };
	unsigned long answer = 0;

	__asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi\n\t"
			 "rolq $61, %%rdi; rolq $51, %%rdi\n\t"
			 "xchgq %%rbx, %%rbx"
			 : "=d"(answer)
			 : "a"(request), "0"(answer)
			 : "cc", "memory");
	return answer != 0;
}

static inline int ff_is_empty_function(const void *function)
{
	const unsigned char *at = function;

	if (at[0] == 0xf3 && at[1] == 0x0f && at[2] == 0x1e && at[3] == 0xfa)
		at += 4; /* endbr64 */
	return at[0] == 0xc3 || (at[0] == 0xf3 && at[1] == 0xc3);
}

static inline uintptr_t ff_thread_pointer(void)
{
	return (uintptr_t)__builtin_thread_pointer();
}

#endif
