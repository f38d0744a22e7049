/*
 * pid_t vfork(void): the registers of the caller are taken down before
 * anything else happens, as two processes will go on from them.
 *
 * ff_vfork() comes back only to say which vfork to jump to instead, with the
 * caller's stack as it was.
 *
 *	out	rax 0 in the child, its pid or -1 in the parent
 */
	.text

/* Into a struct ff_caller on the stack, rdi. */
	.macro	take_down
	subq	$72, %rsp
	.cfi_adjust_cfa_offset 72
	movq	%rbx, (%rsp)
	movq	%rbp, 8(%rsp)
	movq	%r12, 16(%rsp)
	movq	%r13, 24(%rsp)
	movq	%r14, 32(%rsp)
	movq	%r15, 40(%rsp)
	leaq	80(%rsp), %rax
	movq	%rax, 48(%rsp)
	movq	72(%rsp), %rax
	movq	%rax, 56(%rsp)
	movq	%rsp, %rdi
	.endm

	.globl	vfork
	.globl	__vfork
	.globl	ff_vfork_again
	.hidden	ff_vfork_again
	.type	vfork, @function
	.type	__vfork, @function
	.balign	16
vfork:
__vfork:
ff_vfork_again:
	.cfi_startproc
	take_down
	call	ff_vfork
	addq	$72, %rsp
	.cfi_adjust_cfa_offset -72
	jmp	*%rax
	.cfi_endproc
	.size	vfork, . - vfork
	.size	__vfork, . - __vfork

/* pid_t fork(void): the same where it lends its stack; else ff_fork_from()
 * comes back in both processes, with fork's result. */
	.globl	fork
	.globl	ff_fork_again
	.hidden	ff_fork_again
	.type	fork, @function
	.balign	16
fork:
ff_fork_again:
	.cfi_startproc
	take_down
	call	ff_fork_from
	addq	$72, %rsp
	.cfi_adjust_cfa_offset -72
	ret
	.cfi_endproc
	.size	fork, . - fork

	.hidden	ff_vfork
	.hidden	ff_fork_from

	.section .note.GNU-stack, "", @progbits
