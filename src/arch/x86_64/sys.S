/*
 * The only instructions of this object that enter the kernel. Syscall user
 * dispatch lets calls from [ff_sys_begin, ff_sys_end) through; everything
 * else on an armed thread arrives in the SIGSYS handler.
 */
	.text

	.globl	ff_sys_begin
	.hidden	ff_sys_begin
	.globl	ff_sys_end
	.hidden	ff_sys_end

/*
 * long ff_sys(long nr, long a, long b, long c, long d, long e, long f)
 *
 *	in	rdi nr, rsi a, rdx b, rcx c, r8 d, r9 e, 8(%rsp) f
 *	kernel	rax nr, rdi a, rsi b, rdx c, r10 d, r8 e, r9 f
 *	out	rax result or -errno; rcx, r11 lost
 */
	.balign	64
ff_sys_begin:
	.globl	ff_sys
	.hidden	ff_sys
	.type	ff_sys, @function
ff_sys:
	.cfi_startproc
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	syscall
	ret
	.cfi_endproc
	.size	ff_sys, . - ff_sys

/*
 * Where our signal handlers return to (sa_restorer), and where a handler of
 * the program returns to the kernel while dispatch is armed: rsp is the
 * frame the kernel built. Unwinders know it by its bytes, as they know
 * libc's; it must stay these two instructions.
 */
	.balign	16
	.globl	ff_sigreturn
	.hidden	ff_sigreturn
	.type	ff_sigreturn, @function
	nop
ff_sigreturn:
	movq	$15, %rax		/* rt_sigreturn */
	syscall
	.size	ff_sigreturn, . - ff_sigreturn
/*
 * long ff_sigaltstack_from(const stack_t *stack, uintptr_t sp): change the
 * alternate stack while running on it. The kernel judges by the stack
 * pointer at the call, so it is made with that of the interrupted program;
 * nothing is written there. All signals are blocked.
 *
 *	in	rdi stack, rsi sp
 *	out	rax 0 or -errno
 */
	.balign	16
	.globl	ff_sigaltstack_from
	.hidden	ff_sigaltstack_from
	.type	ff_sigaltstack_from, @function
ff_sigaltstack_from:
	.cfi_startproc
	movq	%rsp, %rdx		/* our stack, in a register */
	.cfi_def_cfa_register rdx
	movq	%rsi, %rsp
	xorl	%esi, %esi		/* old: not asked */
	movl	$131, %eax		/* sigaltstack */
	syscall
	movq	%rdx, %rsp
	.cfi_def_cfa_register rsp
	ret
	.cfi_endproc
	.size	ff_sigaltstack_from, . - ff_sigaltstack_from
	.balign	16
ff_sys_end:

/*
 * int ff_peek(const void *at): the byte at @at, or -1 where there is no
 * readable memory. The fault handler knows the one load and its way out.
 *
 *	in	rdi at
 *	out	eax 0..255, or -1
 */
	.globl	ff_peek
	.hidden	ff_peek
	.globl	ff_peek_load
	.hidden	ff_peek_load
	.globl	ff_peek_failed
	.hidden	ff_peek_failed
	.type	ff_peek, @function
ff_peek:
	.cfi_startproc
ff_peek_load:
	movzbl	(%rdi), %eax
	ret
ff_peek_failed:
	movl	$-1, %eax
	ret
	.cfi_endproc
	.size	ff_peek, . - ff_peek

	.section .note.GNU-stack, "", @progbits
