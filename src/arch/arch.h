/*
 * What the architecture room provides: the range of instructions that syscall
 * user dispatch lets through, the registers of a trapped call, and the ways
 * into a new process. No processor is named here. All that is declared here is
 * in the processor's folder: src/arch/x86_64.
 */
#ifndef FF_ARCH_ARCH_H
#define FF_ARCH_ARCH_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/* Where a call returns to, and what it must bring back: has pc, sp (behind the
 * return), fp, and whatever else a function keeps. */
struct ff_caller;

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
 * in signal frames where it is found? */
int ff_keys_possible(void);
uint32_t ff_keys(void);
/* In the constructor; and is the register what it was there? Then the program
 * opens and closes nothing by keys of its own. False: not noted. */
void ff_keys_note_start(void);
int ff_keys_are_as_at_start(void);
void ff_set_keys(uint32_t keys);

/* A call of four arguments with another register, which need not open the stack
 * that the caller is on. Only where keys are possible. */
long ff_sys_by_keys(uint32_t keys, long nr, long a, long b, long c, long d);

/* In a handler, until it returns: to touch what the program may where it was
 * interrupted, and be refused what that is. 0: not so, the register is as it
 * was: there our own memory is closed, or it is not told. */
int ff_keys_as_in(const ucontext_t *uc);
/* The program goes on with the register as it is by now. */
void ff_keys_into(ucontext_t *uc);

/* Zero words where libc's memset would be one more page to fault in. */
static inline void ff_zero(uint64_t *words, size_t count);

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

/* The same of a thread, which is called with NULL. */
long ff_clone_thread(long flags, void *stack_top, void *parent_tid,
		     void *child_tid, void *tls, void (*thread)(void *));

/* A handler's frame was copied, to @by bytes above itself. */
static inline void ff_frame_was_moved(ucontext_t *uc, ptrdiff_t by);

/* Go on where a frame says, as a handler that returns. */
_Noreturn void ff_go_to(const ucontext_t *uc);

/* Go on in @caller with @result; nothing of this stack is needed any more. */
_Noreturn void ff_resume(const struct ff_caller *caller, long result);

/* Leave this stack for good: call @function(@arg), which never returns. */
_Noreturn void ff_on_stack(void *top, void (*function)(void *), void *arg);

/* The same, for the stack of @caller, which @function is seen to be called by;
 * what it has kept below its stack pointer is lost. */
_Noreturn void ff_in_caller(const struct ff_caller *caller,
			    void (*function)(void *), void *arg);

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

/* Is that call about to be made, again or at all? Then it may be failed. */
int ff_call_repeats(const ucontext_t *uc);

static inline void ff_fail_call(ucontext_t *uc, long error);

/* Does @address lie behind a call instruction? */
int ff_is_behind_call(uintptr_t address);

/* The registers, for those of FF_GENERAL_REGISTERS. */
static inline uint64_t *ff_registers(const ucontext_t *uc);

/* Registers of a call that was trapped; it stands behind the instruction. */
static inline long ff_arg(const ucontext_t *uc, int i);
static inline void ff_move_arg(ucontext_t *uc, int from, int to);

static inline void ff_set_result(ucontext_t *uc, long result);

/* Does the thread stand right behind an instruction that makes a system call,
 * and is not ours? */
int ff_stands_behind_call(const ucontext_t *uc);

/* Make the thread execute the trapped instruction again, which is as long in
 * every ABI; its register has the lower half of @nr. */
static inline void ff_rewind(ucontext_t *uc, long nr);

/* From a handler, with signals to take in the mask that it returns with: make
 * the thread go on at @uc with @mask, once it has taken them; what the mask is
 * by then is told at @ret_mask. */
static inline void ff_take_signals_first(ucontext_t *uc, uint64_t mask,
					 void *ret_mask);
void ff_again(void); /* where it goes on for that */

static inline uintptr_t ff_stack_pointer(const ucontext_t *uc);

static inline void ff_set_stack_pointer(ucontext_t *uc, uintptr_t sp);

static inline void ff_jump(ucontext_t *uc, void (*to)(void));

/* Is the call at ff_exec_through yet to be made (again)? */
static inline int ff_exec_is_ahead(const ucontext_t *uc);

/* Has it been made, and failed? Its answer is where results are. */
static inline int ff_exec_is_behind(const ucontext_t *uc);

static inline uintptr_t ff_goes_on_at(const ucontext_t *uc);

static inline void ff_go_on_at(ucontext_t *uc, uintptr_t at);

/* In a loop that waits for another processor. */
static inline void ff_relax(void);

static inline long ff_result(const ucontext_t *uc);

/* A fault: was it ff_peek's? Then it answers -1. */
static inline int ff_peek_fixup(ucontext_t *uc);

/* Are return addresses of this thread kept a second time, and compared? What
 * the kernel says; 0, or -errno of one that does not know. */
static inline long ff_shadow_stack_status(unsigned long *ret_status);

/* Is this CPU valgrind's? Its client request, which does nothing elsewhere. */
static inline int ff_on_valgrind(void);

/* Does the function do nothing but return? */
static inline int ff_is_empty_function(const void *function);

static inline uintptr_t ff_thread_pointer(void);

/*
 * Types, numbers and short bodies, of src/arch/x86_64. Beside what is named
 * above: FF_CALL_BYTES, an instruction's that makes a system call; FF_PASS_BACK
 * (ff_let_through); FF_GENERAL_REGISTERS, those a program computes in, by their
 * place among a context's; FF_DWARF_FP, _SP and _RETURN, what tables of frames
 * call the register that frames are found by, the stack pointer and the return
 * address; FF_ELF_MACHINE, e_machine of its programs. And arch_asks.def.
 */
#include "arch_cpu.h"

#endif
