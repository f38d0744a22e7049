/*
 * The first instructions of a program without libc: @start is called with the
 * stack that the kernel made, argc on top of it, and never returns.
 */
#ifndef ENTRY_H
#define ENTRY_H

__attribute__((used)) static void start(long *stack);

__asm__(".globl _start\n"
	".type _start, @function\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call start\n"
	"	hlt\n");

#endif
