/*
 * The words that tables of call frames are made of, read as they lie in memory.
 * Past the end there are zeros, and the reader has failed.
 * Context: anywhere; reads only, and takes no lock.
 */
#ifndef FF_SITE_DWARF_H
#define FF_SITE_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Encodings of pointers, DW_EH_PE_*. */
#define FF_DWARF_ABSOLUTE 0x00
#define FF_DWARF_SDATA4 0x0b
#define FF_DWARF_OMITTED 0xff

struct ff_dwarf_reader {
	const uint8_t *at, *end;
	bool failed;
};

/* A number of @bytes bytes, 8 at most. */
uint64_t ff_dwarf_fixed(struct ff_dwarf_reader *r, size_t bytes);

/* LEB128, without a sign and with one. */
uint64_t ff_dwarf_uleb(struct ff_dwarf_reader *r);
int64_t ff_dwarf_sleb(struct ff_dwarf_reader *r);

void ff_dwarf_skip(struct ff_dwarf_reader *r, uint64_t bytes);

/* Bytes of a pointer of this encoding; 0: one that we do not read. */
size_t ff_dwarf_width(uint8_t encoding);

#endif
