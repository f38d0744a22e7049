/*
 * Where a thread takes the signals that wait for it before it makes a system
 * call in which they are blocked: it comes here with the mask that lets them
 * in, so all handlers have run before the first instruction, and on a stack
 * like any other's.
 *
 *	in	rsp struct ff_again; the program's stack is above, behind the
 *		red zone
 *	kept	all registers but rcx and r11, which the call loses as well
 */
	.text
	.globl	ff_again
	.hidden	ff_again
	.type	ff_again, @function
	.balign	16
	nop
ff_again:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa rsp, 192		/* struct ff_again, and the red zone */
	.cfi_rel_offset rax, 16
	.cfi_rel_offset rdi, 24
	.cfi_rel_offset rsi, 32
	.cfi_rel_offset rdx, 40
	.cfi_rel_offset r10, 48
	.cfi_rel_offset rip, 56
	movl	$2, %edi		/* SIG_SETMASK */
	movq	%rsp, %rsi
	movq	8(%rsp), %rdx		/* what it was, or NULL */
	movl	$8, %r10d
	movl	$14, %eax		/* rt_sigprocmask */
	syscall
	movq	16(%rsp), %rax
	movq	24(%rsp), %rdi
	movq	32(%rsp), %rsi
	movq	40(%rsp), %rdx
	movq	48(%rsp), %r10
	movq	56(%rsp), %rcx
	leaq	192(%rsp), %rsp
	.cfi_def_cfa_offset 0
	.cfi_same_value rax
	.cfi_same_value rdi
	.cfi_same_value rsi
	.cfi_same_value rdx
	.cfi_same_value r10
	.cfi_register rip, rcx
	jmp	*%rcx
	.cfi_endproc
	.size	ff_again, . - ff_again

	.section .note.GNU-stack, "", @progbits
