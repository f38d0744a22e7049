/* See dwarf.h: DWARF 4, 7.6 for LEB128. */
#include "site/dwarf.h"

#include <string.h>

uint64_t ff_dwarf_fixed(struct ff_dwarf_reader *r, size_t bytes)
{
	uint64_t value = 0;

	if ((size_t)(r->end - r->at) < bytes) {
		r->failed = true;
		return 0;
	}
	memcpy(&value, r->at, bytes);
	r->at += bytes;
	return value;
}

static uint64_t leb(struct ff_dwarf_reader *r, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)ff_dwarf_fixed(r, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && shift < 64 && (byte & 0x40))
		value |= ~(uint64_t)0 << shift;
	return value;
}

uint64_t ff_dwarf_uleb(struct ff_dwarf_reader *r)
{
	return leb(r, false);
}

int64_t ff_dwarf_sleb(struct ff_dwarf_reader *r)
{
	return (int64_t)leb(r, true);
}

void ff_dwarf_skip(struct ff_dwarf_reader *r, uint64_t bytes)
{
	if ((uint64_t)(r->end - r->at) < bytes)
		r->failed = true;
	else
		r->at += bytes;
}

size_t ff_dwarf_width(uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case FF_DWARF_ABSOLUTE:
		return 8;
	case FF_DWARF_SDATA4:
	case 0x03: /* udata4 */
		return 4;
	default:
		return 0;
	}
}
