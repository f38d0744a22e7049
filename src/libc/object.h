/* Which loaded object an address lies in. Async-signal-safe, takes no lock. */
#ifndef FF_LIBC_OBJECT_H
#define FF_LIBC_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#define FF_PROGRAM "/proc/self/exe"

struct ff_object {
	uintptr_t start, end;	/* where it is mapped */
	uintptr_t bias;		/* added to the addresses in its file */
	uintptr_t eh_frame_hdr; /* 0: none */
	const char *path;	/* FF_PROGRAM: the program's own */
};

bool ff_object_of(uintptr_t address, struct ff_object *ret_object);

/* The sorted table of a .eh_frame_hdr as every linker writes it: 32 bits, from
 * the header on. */
struct ff_frame_table {
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	int32_t frame;
	uint32_t count;
	struct {
		int32_t start, fde;
	} row[];
};

/* NULL: it has none, or one that is written otherwise. */
const struct ff_frame_table *ff_frame_table_of(const struct ff_object *object);

#endif
