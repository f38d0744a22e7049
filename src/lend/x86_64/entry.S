/* Where a borrower comes to us by itself: lend/entry.h. */
	.text

/*
 * A function returns here that has no right to: the stack above is its
 * parent's. What it returned (rax, rdx, xmm0, xmm1; x87 is not touched) is
 * kept below, where its frame was: the parent has a copy of that.
 */
	.globl	ff_lent_return
	.hidden	ff_lent_return
	.hidden	ff_lent_returned
	.type	ff_lent_return, @function
	.balign	16
	nop
ff_lent_return:
	.cfi_startproc
	.cfi_undefined rip
	subq	$48, %rsp
	movq	%rax, (%rsp)
	movq	%rdx, 8(%rsp)
	movups	%xmm0, 16(%rsp)
	movups	%xmm1, 32(%rsp)
	call	ff_lent_returned
	movq	%rax, %rcx
	movq	(%rsp), %rax
	movq	8(%rsp), %rdx
	movups	16(%rsp), %xmm0
	movups	32(%rsp), %xmm1
	addq	$48, %rsp
	jmp	*%rcx
	.cfi_endproc
	.size	ff_lent_return, . - ff_lent_return

/*
 * void ff_keyed_handler(int sig, siginfo_t *info, void *context): nothing of
 * its stack can be touched before the keys are changed, all are open then.
 *
 *	in	edi sig, rsi info, rdx context
 */
	.globl	ff_keyed_handler
	.hidden	ff_keyed_handler
	.hidden	ff_borrower_on_signal
	.type	ff_keyed_handler, @function
	.balign	16
ff_keyed_handler:
	.cfi_startproc
	movq	%rdx, %r8
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	wrpkru
	movq	%r8, %rdx
	jmp	ff_borrower_on_signal
	.cfi_endproc
	.size	ff_keyed_handler, . - ff_keyed_handler

	.section .note.GNU-stack, "", @progbits
