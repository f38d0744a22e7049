/*
 * Functions that are libc's, but that a child in borrowed memory may not
 * call: each jumps on with its arguments and its stack as they were, after
 * ff_leave() where the thread has lent its stack, the next definition is not
 * known yet, or the first argument is one to look at. Numbers and names are
 * those of the table.
 */
	.set	PR_SET_SECCOMP, 22
	.set	PR_SET_SYSCALL_USER_DISPATCH, 59
	.set	ff_number, 0
#define FF_NAME(name, why)				\
	.set	FF_NEXT_##name, ff_number;		\
	.set	ff_number, ff_number + 1;
#include "preload/names.def"
#undef FF_NAME

	.text
	.hidden	ff_next_of
	.hidden	ff_loan
	.hidden	ff_leave

	.macro	leave name, looked_at, and
	.globl	\name
	.type	\name, @function
	.balign	16
\name:
	.cfi_startproc
	movq	ff_loan@gottpoff(%rip), %r11
	cmpq	$0, %fs:(%r11)
	movl	$FF_NEXT_\name, %r11d
	jne	ff_leave_and_go_on
	.ifnb	\looked_at
	cmpl	$\looked_at, %edi
	je	ff_leave_and_go_on
	.endif
	.ifnb	\and
	cmpl	$\and, %edi
	je	ff_leave_and_go_on
	.endif
	cmpq	$0, ff_next_of + 8 * FF_NEXT_\name(%rip)
	je	ff_leave_and_go_on
	jmp	*ff_next_of + 8 * FF_NEXT_\name(%rip)
	.cfi_endproc
	.size	\name, . - \name
	.endm

/* r11: which. All that may hold an argument is kept. */
	.type	ff_leave_and_go_on, @function
	.balign	16
ff_leave_and_go_on:
	.cfi_startproc
	subq	$184, %rsp
	.cfi_adjust_cfa_offset 184
	movq	%rdi, (%rsp)
	movq	%rsi, 8(%rsp)
	movq	%rdx, 16(%rsp)
	movq	%rcx, 24(%rsp)
	movq	%r8, 32(%rsp)
	movq	%r9, 40(%rsp)
	movq	%rax, 48(%rsp)
	movups	%xmm0, 56(%rsp)
	movups	%xmm1, 72(%rsp)
	movups	%xmm2, 88(%rsp)
	movups	%xmm3, 104(%rsp)
	movups	%xmm4, 120(%rsp)
	movups	%xmm5, 136(%rsp)
	movups	%xmm6, 152(%rsp)
	movups	%xmm7, 168(%rsp)
	movq	%rsp, %rsi
	movl	%r11d, %edi
	call	ff_leave
	movq	%rax, %r11
	movq	(%rsp), %rdi
	movq	8(%rsp), %rsi
	movq	16(%rsp), %rdx
	movq	24(%rsp), %rcx
	movq	32(%rsp), %r8
	movq	40(%rsp), %r9
	movq	48(%rsp), %rax
	movups	56(%rsp), %xmm0
	movups	72(%rsp), %xmm1
	movups	88(%rsp), %xmm2
	movups	104(%rsp), %xmm3
	movups	120(%rsp), %xmm4
	movups	136(%rsp), %xmm5
	movups	152(%rsp), %xmm6
	movups	168(%rsp), %xmm7
	addq	$184, %rsp
	.cfi_adjust_cfa_offset -184
	jmp	*%r11
	.cfi_endproc
	.size	ff_leave_and_go_on, . - ff_leave_and_go_on

	leave	exit
	leave	quick_exit
	leave	err
	leave	errx
	leave	verr
	leave	verrx
	leave	error
	leave	error_at_line
	leave	longjmp
	leave	_longjmp
	leave	siglongjmp
	leave	__longjmp_chk
	leave	pthread_create
	leave	pthread_exit
	leave	thrd_create
	leave	prctl, PR_SET_SECCOMP, PR_SET_SYSCALL_USER_DISPATCH
	leave	mlockall
	leave	munlockall
	leave	setuid
	leave	setgid
	leave	seteuid
	leave	setegid
	leave	setreuid
	leave	setregid
	leave	setresuid
	leave	setresgid
	leave	setfsuid
	leave	setfsgid

	.section .note.GNU-stack, "", @progbits
