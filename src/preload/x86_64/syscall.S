/*
 * long syscall(long nr, ...): libc's, by a jump, so that whatever it is
 * called for (vfork among it) meets the stack it expects. Only calls that
 * may fork, exec, wait, install a filter or change what a fork copies, calls
 * in a child of vfork, and calls before the next definition is known are looked at.
 *
 *	in	rdi nr, rsi rdx rcx r8 r9 8(%rsp) arguments
 *	out	rax, as libc's
 */
	.text
	.globl	syscall
	.type	syscall, @function
	.balign	16
syscall:
	.cfi_startproc
#define LOOK(nr)	cmpq $nr, %rdi; je 1f
#define FF_VFORK_ON(nr)
#define FF_VFORK_IDS(nr)
#define FF_VFORK_MEMORY(nr)
#define FF_VFORK_ADVICE(nr)	LOOK(nr)
#define FF_VFORK_UNMAPS(nr)	LOOK(nr)
#define FF_VFORK_MOVES(nr)	LOOK(nr)
#define FF_VFORK_EXECS(nr)	LOOK(nr)
#define FF_VFORK_PRCTL(nr)	LOOK(nr)
#define FF_VFORK_SECCOMP(nr)	LOOK(nr)
#define FF_VFORK_PIDNS(nr)	LOOK(nr)
#define FF_VFORK_CHILDREN(nr)	LOOK(nr)
#define FF_VFORK_UFFD(nr)	LOOK(nr)
#define FF_VFORK_RINGS(nr)	LOOK(nr)
#define FF_VFORK_GIVES(nr)	LOOK(nr)
#define FF_VFORK_SEALS(nr)	LOOK(nr)
#define FF_VFORK_PERSONA(nr)	LOOK(nr)
#define FF_VFORK_STATE(nr)	LOOK(nr)
#define FF_VFORK_FORKS(nr)	LOOK(nr)
#define FF_VFORK_SENDS(nr)	LOOK(nr)
#define FF_CALL(nr, name, signature, lazy, fence, waits, fork, vfork, facts) \
	FF_VFORK_##vfork(nr)
#include "calls/calls.def"
	movq	ff_loan@gottpoff(%rip), %rax
	cmpq	$0, %fs:(%rax)
	jne	1f
	movq	ff_next_syscall(%rip), %rax
	testq	%rax, %rax
	je	1f
	jmp	*%rax
1:	jmp	ff_syscall_look
	.cfi_endproc
	.size	syscall, . - syscall

	.hidden	ff_syscall_look
	.hidden	ff_next_syscall
	.hidden	ff_loan

	.section .note.GNU-stack, "", @progbits
