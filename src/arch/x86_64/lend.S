/*
 * Ways on and off a stack that two processes take turns on.
 */
	.text

/*
 * void ff_resume(const struct ff_caller *caller, long result)
 *
 *	in	rdi caller, rsi result
 */
	.globl	ff_resume
	.hidden	ff_resume
	.type	ff_resume, @function
	.balign	16
ff_resume:
	.cfi_startproc
	.cfi_undefined rip
	movq	(%rdi), %rbx
	movq	8(%rdi), %rbp
	movq	16(%rdi), %r12
	movq	24(%rdi), %r13
	movq	32(%rdi), %r14
	movq	40(%rdi), %r15
	movq	56(%rdi), %rcx
	movq	48(%rdi), %rsp
	movq	%rsi, %rax
	jmp	*%rcx
	.cfi_endproc
	.size	ff_resume, . - ff_resume

/*
 * void ff_on_stack(void *top, void (*function)(void *), void *arg)
 *
 *	in	rdi top, rsi function, rdx arg
 */
	.globl	ff_on_stack
	.hidden	ff_on_stack
	.type	ff_on_stack, @function
	.balign	16
ff_on_stack:
	.cfi_startproc
	.cfi_undefined rip
	movq	%rdi, %rsp
	andq	$-16, %rsp
	xorl	%ebp, %ebp
	movq	%rdx, %rdi
	call	*%rsi
	hlt
	.cfi_endproc
	.size	ff_on_stack, . - ff_on_stack

/*
 * void ff_in_caller(const struct ff_caller *caller, void (*function)(void *),
 *		     void *arg)
 *
 * For who unwinds, the caller has called this: its return address is put
 * where it was, its rbx below that.
 *
 *	in	rdi caller, rsi function, rdx arg
 *	rbx	the caller's stack pointer
 */
	.globl	ff_in_caller
	.hidden	ff_in_caller
	.type	ff_in_caller, @function
	.balign	16
ff_in_caller:
	.cfi_startproc
	.cfi_remember_state
	.cfi_undefined rip
	movq	48(%rdi), %rax
	movq	56(%rdi), %rcx
	movq	%rcx, -8(%rax)
	movq	(%rdi), %rcx
	movq	%rcx, -16(%rax)
	movq	8(%rdi), %rbp
	movq	16(%rdi), %r12
	movq	24(%rdi), %r13
	movq	32(%rdi), %r14
	movq	40(%rdi), %r15
	leaq	-256(%rax), %rsp
	andq	$-16, %rsp
	movq	%rax, %rbx
	.cfi_restore_state
	.cfi_def_cfa rbx, 0
	.cfi_offset rbx, -16
	movq	%rdx, %rdi
	call	*%rsi
	hlt
	.cfi_endproc
	.size	ff_in_caller, . - ff_in_caller

/*
 * uintptr_t ff_jump_target(const void *jmp_buf): the stack pointer is the
 * seventh word, hidden by a rotation and the thread's guard (glibc since
 * 2.4).
 *
 *	in	rdi jmp_buf
 *	out	rax
 */
	.globl	ff_jump_target
	.hidden	ff_jump_target
	.type	ff_jump_target, @function
	.balign	16
ff_jump_target:
	.cfi_startproc
	movq	48(%rdi), %rax
	rorq	$17, %rax
	xorq	%fs:0x30, %rax
	ret
	.cfi_endproc
	.size	ff_jump_target, . - ff_jump_target

	.section .note.GNU-stack, "", @progbits
