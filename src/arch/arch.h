/*
 * What the architecture room provides: the range of instructions that syscall
 * user dispatch lets through, the registers of a trapped call, and the ways
 * into a new process.
 */
#ifndef FF_ARCH_ARCH_H
#define FF_ARCH_ARCH_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

extern const char ff_sys_begin[];
extern const char ff_sys_end[];

/* The way back from a signal handler: sa_restorer of ours, and where the
 * program's own rt_sigreturn is made on its own frame. Never called. */
void ff_sigreturn(void);

/* Change the alternate signal stack from a handler that runs on it; @sp: the
 * stack pointer of what was interrupted. 0 or -errno. */
long ff_sigaltstack_from(const stack_t *stack, uintptr_t sp);

/*
 * clone() from a stack in [house, house + stack_bytes) that the child does
 * not inherit: @image, shared memory of @bytes as the house, becomes the
 * child's house, with a copy of the stack in use and whatever else was put
 * there. Returns the pid, 0 in the child, or -errno. A child without its
 * image ends.
 */
long ff_clone_image(unsigned long flags, long parent_tid, long child_tid,
		    void *house, void *image, size_t bytes, size_t stack_bytes);

/*
 * A call that dispatch stopped, made again from where it is let through: with
 * the program's registers and mask, outside of any handler. It goes on at the
 * address that lies FF_PASS_BACK below the stack pointer, beyond the red zone.
 */
#define FF_PASS_BACK ((uintptr_t)136)
void ff_let_through(void);
extern const char ff_let_through_done[];

/*
 * The same for execve, which comes back only if it failed: the instruction at
 * ff_exec_answered is then stopped by dispatch, its number being what execve
 * answered. Where it goes on, whoever sent it there knows.
 */
void ff_exec_through(void);
extern const char ff_exec_answered[];

/*
 * Memory protection keys. The register holds two bits for each of 16 keys: no
 * access, no writing. A signal handler starts with those of a new process,
 * which may not touch memory of any key but 0.
 */
#define FF_KEYS 16
#define FF_KEY_NO_ACCESS(key) (1u << (2 * (key)))
#define FF_KEY_NO_WRITE(key) (2u << (2 * (key)))

/* Has this CPU keys, does the kernel use them, and does it keep the register
 * in signal frames where ff_keys_in() finds it? */
int ff_keys_possible(void);
uint32_t ff_keys(void);
/* In the constructor; and is the register what it was there? Then the program
 * opens and closes nothing by keys of its own. False: not noted. */
void ff_keys_note_start(void);
int ff_keys_are_as_at_start(void);
void ff_set_keys(uint32_t keys);

/* What the register will be when the handler returns; NULL: not told. */
uint32_t *ff_keys_in(const ucontext_t *uc);

/* A signal handler on a stack of another key than 0: opens all memory, then
 * is ff_borrower_on_signal(). */
void ff_keyed_handler(int sig, siginfo_t *info, void *context);

/* Zero words where libc's memset would be one more page to fault in. */
static inline void ff_zero(uint64_t *words, size_t count)
{
	__asm__ volatile("rep stosq"
			 : "+D"(words), "+c"(count)
			 : "a"(0)
			 : "memory");
}

/* Text of a program, to be written to a file: it ends with the number of its
 * arguments as its status, and is called what its argv[0] is. */
extern const char ff_last_text[], ff_last_text_end[];

/* The byte at @at, or -1: needs a fault handler that calls ff_peek_fixup(). */
int ff_peek(const void *at);
extern const char ff_peek_load[];
void ff_peek_failed(void);

/*
 * A new process that starts by calling @child(@arg), which never returns, on
 * the stack that @args or @stack_top names. The pid, or -errno; only the
 * parent returns. What ff_clone() is told of @ret_parent (a descriptor with
 * CLONE_PIDFD, else a pid) and of @child_tid (a word that is cleared at its end)
 * depends on the flags; NULL without them.
 */
struct clone_args;
long ff_clone3(const struct clone_args *args, size_t bytes,
	       void (*child)(void *), void *arg);
long ff_clone(long flags, void *stack_top, int *ret_parent,
	      _Atomic uint32_t *child_tid, void (*child)(void *), void *arg);

/* Where a call returns to, and what it must bring back. In this order:
 * vfork.S, lend.S. */
struct ff_caller {
	uint64_t rbx, fp, r12, r13, r14, r15;
	uint64_t sp; /* behind the return */
	uint64_t pc;
};

/* Go on in @caller with @result; nothing of this stack is needed any more. */
_Noreturn void ff_resume(const struct ff_caller *caller, long result);

/* Leave this stack for good: call @function(@arg), which never returns. */
_Noreturn void ff_on_stack(void *top, void (*function)(void *), void *arg);

/* The same, for the stack of @caller, which @function is seen to be called by;
 * what it has kept below its stack pointer is lost. */
_Noreturn void ff_in_caller(const struct ff_caller *caller,
			    void (*function)(void *), void *arg);

/* Put in place of a return address: makes its way to ff_lent_returned(), with
 * what the function returned kept, and then to what that says. */
extern const char ff_lent_return[];
uintptr_t ff_lent_returned(void);

/* The stack pointer that longjmp() will set, in glibc's jmp_buf. */
uintptr_t ff_jump_target(const void *jmp_buf);

/*
 * The number of the system call that a signal found @uc about to make or to
 * repeat, or just come out of; -1: it stands elsewhere, or that is not told.
 * At the instruction the number is in its register; behind it, it is known
 * only where the instruction before says so, as in most of libc's wrappers.
 */
long ff_call_at(const ucontext_t *uc);

/* Has it just come out of one that failed because of the signal? Such a call
 * waits for others. */
int ff_call_was_interrupted(const ucontext_t *uc);

#define FF_CALL_BYTES 2 /* of the instruction */

/* Is that call about to be made, again or at all? Then it may be failed. */
int ff_call_repeats(const ucontext_t *uc);

static inline void ff_fail_call(ucontext_t *uc, long error)
{
	uc->uc_mcontext.gregs[REG_RIP] += FF_CALL_BYTES;
	uc->uc_mcontext.gregs[REG_RAX] = error;
}

/* Does @address lie behind a call instruction? */
int ff_is_behind_call(uintptr_t address);

/* Registers of a call that was trapped; rip lies behind the instruction. */
static inline long ff_arg(const ucontext_t *uc, int i)
{
	static const int reg[6] = { REG_RDI, REG_RSI, REG_RDX,
				    REG_R10, REG_R8,  REG_R9 };

	return uc->uc_mcontext.gregs[reg[i]];
}

static inline void ff_set_result(ucontext_t *uc, long result)
{
	uc->uc_mcontext.gregs[REG_RAX] = result;
}

/* Make the thread execute the trapped instruction again, which is as long in
 * every ABI; its register has the lower half of @nr. */
static inline void ff_rewind(ucontext_t *uc, long nr)
{
	uc->uc_mcontext.gregs[REG_RIP] -= FF_CALL_BYTES;
	uc->uc_mcontext.gregs[REG_RAX] = (uint32_t)nr;
}

/* For ff_again(), on the program's stack. In this order: again.S. */
struct ff_again {
	uint64_t mask;
	void *ret_mask; /* or NULL */
	uint64_t rax, rdi, rsi, rdx, r10, rip;
};

#define FF_RED_ZONE 128

void ff_again(void);

/* From a handler, with signals to take in the mask that it returns with: make
 * the thread go on at @uc with @mask, once it has taken them; what the mask is
 * by then is told at @ret_mask. */
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

/* Is the call at ff_exec_through yet to be made (again)? */
static inline int ff_exec_is_ahead(const ucontext_t *uc)
{
	return uc->uc_mcontext.gregs[REG_RIP] ==
	       (greg_t)(uintptr_t)ff_exec_through;
}

/* Has it been made, and failed? Its answer is where results are. */
static inline int ff_exec_is_behind(const ucontext_t *uc)
{
	const greg_t at = uc->uc_mcontext.gregs[REG_RIP];

	return at > (greg_t)(uintptr_t)ff_exec_through &&
	       at <= (greg_t)(uintptr_t)ff_exec_answered + FF_CALL_BYTES;
}

static inline uintptr_t ff_goes_on_at(const ucontext_t *uc)
{
	return (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
}

static inline void ff_go_on_at(ucontext_t *uc, uintptr_t at)
{
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)at;
}

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

/* In a loop that waits for another processor. */
static inline void ff_relax(void)
{
	__builtin_ia32_pause();
}

static inline long ff_result(const ucontext_t *uc)
{
	return uc->uc_mcontext.gregs[REG_RAX];
}

/* A fault: was it ff_peek's? Then it answers -1. */
static inline int ff_peek_fixup(ucontext_t *uc)
{
	if (uc->uc_mcontext.gregs[REG_RIP] != (greg_t)(uintptr_t)ff_peek_load)
		return 0;
	ff_jump(uc, ff_peek_failed);
	return 1;
}

/* Is this CPU valgrind's? Its client request, which does nothing elsewhere. */
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

/* Does the function do nothing but return? */
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
