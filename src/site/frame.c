/*
 * A reader of .eh_frame: System V ABI for AMD64, 3.7 and the Linux Standard
 * Base, "Exception Frames"; DWARF 4, 6.4.2, for the instructions. Memory of
 * loaded objects is read as it is; lengths are the tables' own.
 */
#include "site/frame.h"

#include <string.h>

#include "arch/arch.h"
#include "libc/object.h"
#include "site/dwarf.h"

#define STATES 8 /* of remember_state */

/* What of a row of the table is of interest. */
struct state {
	int64_t reg, offset;  /* CFA; reg < 0: not reg + offset */
	bool return_is_below; /* the word below the CFA */
	int64_t fp_at;	      /* of the caller's, from the CFA; 0: in fp */
};

struct table {
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding;
	bool has_augmentation, signal_frame;
	struct state initial;
};

static void set_return(const struct table *t, struct state *s, uint64_t reg,
		       int64_t factored)
{
	if (reg == FF_DWARF_RETURN)
		s->return_is_below = factored * t->data_align == -8;
	else if (reg == FF_DWARF_FP)
		s->fp_at = factored * t->data_align;
}

static void lose(struct state *s, uint64_t reg)
{
	if (reg == FF_DWARF_RETURN)
		s->return_is_below = false;
	else if (reg == FF_DWARF_FP)
		s->fp_at = FF_FRAME_FP_LOST;
}

static void restore(const struct table *t, struct state *s, uint64_t reg)
{
	if (reg == FF_DWARF_RETURN)
		s->return_is_below = t->initial.return_is_below;
	else if (reg == FF_DWARF_FP)
		s->fp_at = t->initial.fp_at;
}

struct machine {
	const struct table *table;
	struct state now, kept[STATES];
	unsigned depth;
	uint64_t at, target; /* instruction addresses */
};

static void define_cfa(struct machine *m, int64_t reg, int64_t offset)
{
	m->now.reg = reg;
	m->now.offset = offset;
}

/* Instructions with their operand in the byte itself: true if @op was one. */
static bool primary(struct machine *m, struct ff_dwarf_reader *r, uint8_t op)
{
	switch (op & 0xc0) {
	case 0x40: /* advance_loc */
		m->at += (op & 0x3f) * m->table->code_align;
		return true;
	case 0x80: /* offset */
		set_return(m->table, &m->now, op & 0x3f,
			   (int64_t)ff_dwarf_uleb(r));
		return true;
	case 0xc0: /* restore */
		restore(m->table, &m->now, op & 0x3f);
		return true;
	default:
		return false;
	}
}

/* Where the CFA is. False: it is no such operation. */
static bool defines_cfa(struct machine *m, struct ff_dwarf_reader *r,
			uint8_t op)
{
	const struct table *t = m->table;
	uint64_t reg;

	switch (op) {
	case 0x0c: /* def_cfa */
		reg = ff_dwarf_uleb(r);
		define_cfa(m, (int64_t)reg, (int64_t)ff_dwarf_uleb(r));
		return true;
	case 0x12: /* def_cfa_sf */
		reg = ff_dwarf_uleb(r);
		define_cfa(m, (int64_t)reg, ff_dwarf_sleb(r) * t->data_align);
		return true;
	case 0x0d: /* def_cfa_register */
		m->now.reg = (int64_t)ff_dwarf_uleb(r);
		return true;
	case 0x0e: /* def_cfa_offset */
		m->now.offset = (int64_t)ff_dwarf_uleb(r);
		return true;
	case 0x13: /* def_cfa_offset_sf */
		m->now.offset = ff_dwarf_sleb(r) * t->data_align;
		return true;
	case 0x0f: /* def_cfa_expression */
		define_cfa(m, -1, 0);
		ff_dwarf_skip(r, ff_dwarf_uleb(r));
		return true;
	default:
		return false;
	}
}

/* Where a register is. False: it is no such operation. */
static bool places_register(struct machine *m, struct ff_dwarf_reader *r,
			    uint8_t op)
{
	const struct table *t = m->table;
	uint64_t reg = 0;

	if (op < 0x05 || (op > 0x09 && op < 0x10) || op > 0x16)
		return false;
	reg = ff_dwarf_uleb(r);
	switch (op) {
	case 0x05: /* offset_extended */
		set_return(t, &m->now, reg, (int64_t)ff_dwarf_uleb(r));
		return true;
	case 0x11: /* offset_extended_sf */
		set_return(t, &m->now, reg, ff_dwarf_sleb(r));
		return true;
	case 0x06: /* restore_extended */
		restore(t, &m->now, reg);
		return true;
	case 0x07: /* undefined */
		lose(&m->now, reg);
		return true;
	case 0x08: /* same_value */
		if (reg == FF_DWARF_FP)
			m->now.fp_at = 0;
		return true;
	case 0x09: /* register */
	case 0x14: /* val_offset, val_offset_sf: bytes as sleb's */
	case 0x15:
		lose(&m->now, reg);
		ff_dwarf_uleb(r);
		return true;
	default: /* expression, val_expression: 0x10, 0x16 */
		lose(&m->now, reg);
		ff_dwarf_skip(r, ff_dwarf_uleb(r));
		return true;
	}
}

static void extended(struct machine *m, struct ff_dwarf_reader *r, uint8_t op)
{
	const struct table *t = m->table;

	switch (op) {
	case 0x00: /* nop */
		break;
	case 0x02: /* advance_loc1, 2, 4 */
	case 0x03:
	case 0x04:
		m->at += ff_dwarf_fixed(r, (size_t)1 << (op - 2)) *
			 t->code_align;
		break;
	case 0x0a: /* remember_state */
		if (m->depth == STATES)
			r->failed = true;
		else
			m->kept[m->depth++] = m->now;
		break;
	case 0x0b: /* restore_state */
		if (!m->depth)
			r->failed = true;
		else
			m->now = m->kept[--m->depth];
		break;
	case 0x2e: /* GNU_args_size */
		ff_dwarf_uleb(r);
		break;
	default:
		if (!defines_cfa(m, r, op) && !places_register(m, r, op))
			r->failed = true;
	}
}

/* Run until the row of the target is made. */
static bool run(struct machine *m, struct ff_dwarf_reader r)
{
	struct state row;
	uint8_t op;

	while (r.at < r.end && !r.failed) {
		row = m->now;
		op = (uint8_t)ff_dwarf_fixed(&r, 1);
		if (!primary(m, &r, op))
			extended(m, &r, op);
		if (m->at > m->target) {
			m->now = row;
			break;
		}
	}
	return !r.failed;
}

/* The rest of an entry whose length stands at @at. */
static bool open_entry(uintptr_t at, struct ff_dwarf_reader *ret_reader)
{
	uint32_t bytes;

	memcpy(&bytes, (const void *)at, sizeof(bytes));
	if (bytes == 0 || bytes >= 0xfffffff0)
		return false;
	ret_reader->at = (const uint8_t *)at + sizeof(bytes);
	ret_reader->end = ret_reader->at + bytes;
	ret_reader->failed = false;
	return true;
}

static void read_augmentation(struct ff_dwarf_reader *r, struct table *t,
			      const char *letters)
{
	for (; *letters && !r->failed; letters++) {
		switch (*letters) {
		case 'R':
			t->encoding = (uint8_t)ff_dwarf_fixed(r, 1);
			break;
		case 'P': /* encoding and pointer of a personality */
			ff_dwarf_skip(r, ff_dwarf_width((
						 uint8_t)ff_dwarf_fixed(r, 1)));
			break;
		case 'L':
			ff_dwarf_skip(r, 1);
			break;
		case 'S':
			t->signal_frame = true;
			break;
		default:
			return; /* the rest has no meaning that we need */
		}
	}
}

static bool read_cie(uintptr_t at, struct table *t,
		     struct ff_dwarf_reader *ret_code)
{
	const char *letters;
	uint64_t version, bytes;
	struct ff_dwarf_reader r, data;

	memset(t, 0, sizeof(*t));
	if (!open_entry(at, &r) || ff_dwarf_fixed(&r, 4) != 0)
		return false;
	version = ff_dwarf_fixed(&r, 1);
	letters = (const char *)r.at;
	ff_dwarf_skip(&r, strnlen(letters, (size_t)(r.end - r.at)) + 1);
	t->code_align = ff_dwarf_uleb(&r);
	t->data_align = ff_dwarf_sleb(&r);
	if ((version == 1 ? ff_dwarf_fixed(&r, 1) : ff_dwarf_uleb(&r)) !=
	    FF_DWARF_RETURN)
		return false;
	if (*letters == 'z') {
		t->has_augmentation = true;
		bytes = ff_dwarf_uleb(&r);
		data = r;
		ff_dwarf_skip(&r, bytes);
		read_augmentation(&data, t, letters + 1);
		r.failed |= data.failed;
	} else if (*letters) {
		return false;
	}
	*ret_code = r;
	return !r.failed && (version == 1 || version == 3);
}

static bool rule_of(uintptr_t fde, uint64_t start, uint64_t target,
		    struct state *ret_state)
{
	struct table table;
	struct machine m = { .table = &table };
	struct ff_dwarf_reader r, code;
	uintptr_t cie;
	uint64_t bytes;

	if (!open_entry(fde, &r))
		return false;
	cie = (uintptr_t)r.at;
	cie -= (uintptr_t)ff_dwarf_fixed(&r, 4);
	if (!read_cie(cie, &table, &code) || table.signal_frame ||
	    !ff_dwarf_width(table.encoding))
		return false;
	ff_dwarf_skip(&r, ff_dwarf_width(table.encoding));
	bytes = ff_dwarf_fixed(&r, ff_dwarf_width(table.encoding));
	if (target - start >= bytes)
		return false;
	if (table.has_augmentation)
		ff_dwarf_skip(&r, ff_dwarf_uleb(&r));

	define_cfa(&m, -1, 0);
	m.at = start;
	m.target = target;
	if (r.failed || !run(&m, code))
		return false;
	table.initial = m.now;
	if (!run(&m, r))
		return false;
	*ret_state = m.now;
	return true;
}

/* The last entry that starts at @target or before. */
static bool find_fde(const struct ff_object *object, uintptr_t target,
		     uintptr_t *ret_fde, uint64_t *ret_start)
{
	const struct ff_frame_table *table = ff_frame_table_of(object);
	uintptr_t header = object->eh_frame_hdr;
	uint32_t low = 0, high, middle;

	if (!table)
		return false;
	for (high = table->count; low < high;) {
		middle = low + (high - low) / 2;
		if (header + (uintptr_t)(intptr_t)table->row[middle].start <=
		    target)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	*ret_start = header + (uintptr_t)(intptr_t)table->row[low - 1].start;
	*ret_fde = header + (uintptr_t)(intptr_t)table->row[low - 1].fde;
	return true;
}

bool ff_frame_rule_at(uintptr_t return_address, struct ff_frame_rule *ret_rule)
{
	/* Of the call, not of what follows it. */
	uintptr_t target = return_address - 1, fde;
	struct ff_object object;
	struct state state;
	uint64_t start;

	if (!ff_object_of(target, &object) ||
	    !find_fde(&object, target, &fde, &start) ||
	    !rule_of(fde, start, target, &state) || !state.return_is_below)
		return false;
	if (state.reg == FF_DWARF_SP)
		ret_rule->base = FF_FRAME_SP;
	else if (state.reg == FF_DWARF_FP)
		ret_rule->base = FF_FRAME_FP;
	else
		return false;
	ret_rule->offset = (int32_t)state.offset;
	ret_rule->fp_at = (int32_t)state.fp_at;
	return state.offset == ret_rule->offset;
}

unsigned ff_frame_callers(uintptr_t ip, uintptr_t sp, uintptr_t fp,
			  uintptr_t *ret_callers, unsigned most)
{
	struct ff_frame_rule rule;
	uintptr_t cfa;
	unsigned n;

	for (n = 0; n < most; n++) {
		if (!ff_frame_rule_at(ip, &rule))
			break;
		cfa = rule.base == FF_FRAME_SP ? sp : fp;
		cfa += (uintptr_t)(intptr_t)rule.offset;
		if (cfa <= sp || cfa % sizeof(uintptr_t))
			break;
		ip = ret_callers[n] = ((uintptr_t *)cfa)[-1];
		if (rule.fp_at == FF_FRAME_FP_LOST)
			return n + 1;
		if (rule.fp_at)
			fp = *(uintptr_t *)(cfa +
					    (uintptr_t)(intptr_t)rule.fp_at);
		sp = cfa;
	}
	return n;
}
