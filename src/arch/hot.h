/*
 * For small variables that are written around every fork or at every start of
 * a program: together they lie on one page, so that a fork, which makes the
 * kernel copy or reclaim each page written after it, costs one fault for all
 * of them. Big ones and seldom ones stay where the compiler puts them.
 */
#ifndef FF_ARCH_HOT_H
#define FF_ARCH_HOT_H

#define FF_HOT __attribute__((section(".data.ff_hot")))

#endif
