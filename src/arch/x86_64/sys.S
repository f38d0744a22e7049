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
 * long ff_sys_by_keys(uint32_t keys, long nr, long a, long b, long c, long d):
 * the same, with a register of protection keys that may close the stack.
 *
 *	in	edi keys, rsi nr, rdx a, rcx b, r8 c, r9 d
 *	kernel	rax nr, rdi a, rsi b, rdx c, r10 d; r8 and r9 not looked at
 *	kept	rbx nr, r12 the register that was, over the call
 */
	.balign	16
	.globl	ff_sys_by_keys
	.hidden	ff_sys_by_keys
	.type	ff_sys_by_keys, @function
ff_sys_by_keys:
	.cfi_startproc
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	movq	%rsi, %rbx
	movq	%rcx, %rsi
	movl	%edi, %r11d
	movq	%rdx, %rdi
	movq	%r9, %r10
	xorl	%ecx, %ecx
	rdpkru				/* clears edx */
	movl	%eax, %r12d
	movl	%r11d, %eax
	wrpkru
	movq	%r8, %rdx
	movq	%rbx, %rax
	syscall
	movq	%rax, %rbx
	movl	%r12d, %eax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	wrpkru
	movq	%rbx, %rax
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret
	.cfi_endproc
	.size	ff_sys_by_keys, . - ff_sys_by_keys

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
	hlt				/* a filter refused it */
	.size	ff_sigreturn, . - ff_sigreturn
/*
 * void ff_go_to(const ucontext_t *uc): as a handler that returns to what it
 * interrupted; nothing of this stack is needed any more.
 *
 *	in	rdi uc, in a frame as the kernel builds it
 */
	.balign	16
	.globl	ff_go_to
	.hidden	ff_go_to
	.type	ff_go_to, @function
ff_go_to:
	.cfi_startproc
	.cfi_undefined rip
	movq	%rdi, %rsp
	jmp	ff_sigreturn
	.cfi_endproc
	.size	ff_go_to, . - ff_go_to
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
/*
 * long ff_clone_image(unsigned long flags, long parent_tid, long child_tid,
 *		       void *house, void *image, size_t bytes,
 *		       size_t stack_bytes)
 *
 * clone() on a stack that the child does not inherit. The stack lies in
 * [house, house + stack_bytes); what of it is in use is copied to the same
 * place in the image, which is shared, before the call. The child, without a
 * stack, moves the image to where the house is, and so returns on a stack of
 * its own. Ends the child if that fails.
 *
 *	in	rdi flags, rsi parent_tid, rdx child_tid, rcx house, r8 image,
 *		r9 bytes, 8(%rsp) stack_bytes
 *	out	rax the child's pid, 0 in the child, or -errno
 *	kept	rbx house, rbp image, r12 bytes, over both calls
 */
	.balign	16
	.globl	ff_clone_image
	.hidden	ff_clone_image
	.type	ff_clone_image, @function
ff_clone_image:
	.cfi_startproc
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	movq	%rcx, %rbx
	movq	%r8, %rbp
	movq	%r9, %r12
	movq	%rdi, %rax		/* flags */
	movq	%rdx, %r10		/* child_tid */
	movq	%rsi, %rdx		/* parent_tid */
	movq	%rbx, %rcx
	addq	32(%rsp), %rcx		/* stack_bytes */
	subq	%rsp, %rcx		/* what is in use */
	movq	%rsp, %rsi
	movq	%rsp, %rdi
	subq	%rbx, %rdi
	addq	%rbp, %rdi		/* the same place in the image */
	rep	movsb
	movq	%rax, %rdi
	xorl	%esi, %esi		/* stack: the same */
	xorl	%r8d, %r8d		/* tls: none */
	movl	$56, %eax		/* clone */
	syscall
	testq	%rax, %rax
	jnz	1f
	movq	%rbp, %rdi
	movq	%r12, %rsi
	movq	%r12, %rdx
	movl	$3, %r10d		/* MREMAP_MAYMOVE | MREMAP_FIXED */
	movq	%rbx, %r8
	movl	$25, %eax		/* mremap */
	syscall
	cmpq	%rbx, %rax
	jne	2f
	xorl	%eax, %eax
1:	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret
2:	movl	$127, %edi
	movl	$231, %eax		/* exit_group */
	syscall
	hlt
	.cfi_endproc
	.size	ff_clone_image, . - ff_clone_image
/*
 * New processes that start in a function, on a stack of their own. A child
 * that shares its parent's memory must not return into frames that its
 * parent goes on to use, so both end in the child by calling @child, which
 * never returns.
 *
 * long ff_clone3(const struct clone_args *args, size_t bytes,
 *		  void (*child)(void *), void *arg)
 *
 *	in	rdi args, rsi bytes, rdx child, rcx arg
 *	kernel	rax nr, rdi args, rsi bytes; rcx, r11 lost
 *	kept	rdx child, r8 arg, in both processes
 *	out	rax pid or -errno, in the parent alone
 */
	.balign	16
	.globl	ff_clone3
	.hidden	ff_clone3
	.type	ff_clone3, @function
ff_clone3:
	.cfi_startproc
	movq	%rcx, %r8
	movl	$435, %eax		/* clone3 */
	syscall
	testq	%rax, %rax
	je	1f
	ret
1:	.cfi_undefined rip		/* the child: nothing is below */
	xorl	%ebp, %ebp
	movq	%r8, %rdi
	call	*%rdx
	hlt				/* it never returns */
	.cfi_endproc
	.size	ff_clone3, . - ff_clone3

/*
 * long ff_clone(long flags, void *stack_top, int *parent_tid,
 *		 _Atomic uint32_t *child_tid, void (*child)(void *), void *arg)
 *
 *	in	rdi flags, rsi stack_top (0: the caller's own, copied),
 *		rdx parent_tid, rcx child_tid, r8 child, r9 arg
 *	kernel	rax nr, rdi flags, rsi stack, rdx parent_tid, r10 child_tid,
 *		r8 tls, not looked at; rcx, r11 lost
 *	kept	r8 child, r9 arg, in both processes
 *	out	rax pid or -errno, in the parent alone
 */
	.balign	16
	.globl	ff_clone
	.hidden	ff_clone
	.type	ff_clone, @function
ff_clone:
	.cfi_startproc
	movq	%rcx, %r10
	movl	$56, %eax		/* clone */
	syscall
	testq	%rax, %rax
	je	1f
	ret
1:	.cfi_undefined rip		/* the child: nothing is below */
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	movq	%r9, %rdi
	call	*%r8
	hlt				/* it never returns */
	.cfi_endproc
	.size	ff_clone, . - ff_clone

/*
 * long ff_clone_thread(long flags, void *stack_top, void *parent_tid,
 *			void *child_tid, void *tls, void (*thread)(void *))
 *
 * The same for a thread, which may have no memory where its thread pointer
 * points: nothing is looked at there.
 *
 *	in	rdi flags, rsi stack_top, rdx parent_tid, rcx child_tid, r8 tls,
 *		r9 thread
 *	kernel	rax nr, rdi flags, rsi stack, rdx parent_tid, r10 child_tid,
 *		r8 tls; rcx, r11 lost
 *	kept	r9 thread, in both
 *	out	rax tid or -errno, in the caller alone
 */
	.balign	16
	.globl	ff_clone_thread
	.hidden	ff_clone_thread
	.type	ff_clone_thread, @function
ff_clone_thread:
	.cfi_startproc
	movq	%rcx, %r10
	movl	$56, %eax		/* clone */
	syscall
	testq	%rax, %rax
	je	1f
	ret
1:	.cfi_undefined rip		/* the thread: nothing is below */
	xorl	%ebp, %ebp
	xorl	%edi, %edi		/* its argument: none */
	call	*%r9
	hlt				/* it never returns */
	.cfi_endproc
	.size	ff_clone_thread, . - ff_clone_thread

/*
 * A call of the program's that dispatch stopped: registers and stack are the
 * program's. rcx is lost in any system call, so it can tell the way back,
 * which lies beyond the red zone.
 */
	.balign	16
	.globl	ff_let_through
	.hidden	ff_let_through
	.globl	ff_let_through_done
	.hidden	ff_let_through_done
	.type	ff_let_through, @function
	nop
ff_let_through:
	.cfi_startproc
	.cfi_undefined rip
	syscall
ff_let_through_done:
	movq	-136(%rsp), %rcx
	jmp	*%rcx
	.cfi_endproc
	.size	ff_let_through, . - ff_let_through

/*
 * execve of a lazy child, likewise; the child knows the way back. Its answer
 * is the number of a call that dispatch does stop, so that what failed is
 * heard of at once.
 */
	.balign	16
	.globl	ff_exec_through
	.hidden	ff_exec_through
	.globl	ff_exec_answered
	.hidden	ff_exec_answered
	.type	ff_exec_through, @function
	nop
ff_exec_through:
	.cfi_startproc
	.cfi_undefined rip
	syscall
	jmp	ff_exec_answered

	.balign	16
ff_sys_end:
ff_exec_answered:
	syscall
	hlt
	.cfi_endproc
	.size	ff_exec_through, . - ff_exec_through

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
