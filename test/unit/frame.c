/*
 * Where frames end, from the unwind tables: libunwind is the oracle, for
 * every function of the objects in this process.
 */
#include "site/frame.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libc/object.h"
#include "unit.h"

const char unit_subject[] = "frame";

/* Stacks that rsp and rbp point into, for libunwind to read. */
#define WORDS 65536
static uintptr_t by_rsp[WORDS], by_rbp[WORDS];

struct sorted_table {
	uint8_t encodings[4];
	int32_t frame;
	uint32_t count;
	struct {
		int32_t start, fde;
	} row[];
};

/* The CFA at @pc as libunwind has it, told that a call returns behind it. */
static uintptr_t oracle(uintptr_t pc)
{
	unw_context_t context;
	unw_cursor_t cursor;
	unw_word_t sp = 0;

	unw_getcontext(&context);
	context.uc_mcontext.gregs[REG_RIP] = (greg_t)(pc + 1);
	context.uc_mcontext.gregs[REG_RSP] = (greg_t)&by_rsp[WORDS / 2];
	context.uc_mcontext.gregs[REG_RBP] = (greg_t)&by_rbp[WORDS / 2];
	if (unw_init_local(&cursor, &context) != 0 || unw_step(&cursor) < 0 ||
	    unw_get_reg(&cursor, UNW_REG_SP, &sp) != 0)
		return 0;
	return sp;
}

static unsigned known, unknown;

static void compare(uintptr_t pc)
{
	struct ff_frame_rule rule;
	struct ff_object object;
	uintptr_t cfa;

	if (!ff_frame_rule_at(pc + 1, &rule)) {
		unknown++;
		return;
	}
	known++;
	cfa = (uintptr_t)(rule.base == FF_FRAME_SP ? &by_rsp[WORDS / 2] :
						      &by_rbp[WORDS / 2]) +
	      (uintptr_t)(intptr_t)rule.offset;
	ff_object_of(pc, &object);
	ck_assert_msg(cfa == oracle(pc), "%s+%#lx: base %d, offset %d, not %ld",
		      object.path, (unsigned long)(pc - object.bias),
		      (int)rule.base, rule.offset,
		      (long)(oracle(pc) - cfa) + rule.offset);
}

static void compare_object(const void *inside)
{
	const struct sorted_table *table;
	struct ff_object object;
	uintptr_t start, next, step;
	uint32_t i;

	ck_assert(ff_object_of((uintptr_t)inside, &object));
	table = (const struct sorted_table *)object.eh_frame_hdr;
	for (i = 0; i + 1 < table->count; i++) {
		start = object.eh_frame_hdr +
			(uintptr_t)(intptr_t)table->row[i].start;
		next = object.eh_frame_hdr +
		       (uintptr_t)(intptr_t)table->row[i + 1].start;
		step = (next - start) / 8 + 1;
		for (; start < next; start += step)
			compare(start);
	}
}

START_TEST(rules_are_those_of_libunwind)
{
	unsigned i;

	for (i = 0; i < WORDS; i++)
		by_rsp[i] = by_rbp[i] = (uintptr_t)oracle;
	known = unknown = 0;
	compare_object((const void *)printf);
	compare_object((const void *)(uintptr_t)compare_object);
	ck_assert_uint_gt(known, 5000);
	/* padding between functions, the linkage table, signal frames */
	ck_assert_uint_lt(unknown, known / 5);
}
END_TEST

static int marker;

START_TEST(no_rule_where_there_is_no_table)
{
	struct ff_frame_rule rule;

	ck_assert(!ff_frame_rule_at((uintptr_t)&marker, &rule));
	ck_assert(!ff_frame_rule_at(0, &rule));
	ck_assert(!ff_frame_rule_at(1, &rule));
	ck_assert(!ff_frame_rule_at(~(uintptr_t)0, &rule));
}
END_TEST

/* The rule finds the return address of this very frame. */
static __attribute__((noinline)) bool finds_own_frame(size_t bytes)
{
	volatile char *room = __builtin_alloca(bytes);
	uintptr_t rbp = (uintptr_t)__builtin_frame_address(0);
	struct ff_frame_rule rule;

	room[0] = 0;
	if (!ff_frame_rule_at((uintptr_t) && here, &rule))
		return false;
here:
	return rule.base == FF_FRAME_FP &&
	       ((uintptr_t *)(rbp + (uintptr_t)rule.offset))[-1] ==
		       (uintptr_t)__builtin_return_address(0);
}

START_TEST(a_frame_of_any_size_is_found)
{
	ck_assert(finds_own_frame(64));
	ck_assert(finds_own_frame(100000));
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, rules_are_those_of_libunwind);
	tcase_add_test(tests, no_rule_where_there_is_no_table);
	tcase_add_test(tests, a_frame_of_any_size_is_found);
}
