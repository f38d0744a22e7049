/*
 * glibc's FILE has had this layout since 2.1; it is part of its ABI, as
 * programs have its macros compiled in.
 */
#include "libc/streams.h"

#include <string.h>

static size_t unwritten(const FILE *f)
{
	return f->_IO_write_ptr > f->_IO_write_base ?
		       (size_t)(f->_IO_write_ptr - f->_IO_write_base) :
		       0;
}

void ff_streams_note(struct ff_streams *streams)
{
	FILE *const standard[2] = { stdout, stderr };
	size_t bytes;
	int i;

	for (i = 0; i < 2; i++) {
		streams->stream[i] = NULL;
		if (!standard[i])
			continue;
		bytes = unwritten(standard[i]);
		if (bytes > FF_STREAM_BYTES)
			continue;
		streams->stream[i] = standard[i];
		streams->as_it_was[i] = *standard[i];
		if (bytes)
			memcpy(streams->text[i], standard[i]->_IO_write_base,
			       bytes);
	}
}

/* Empty, in a buffer it did not have before. */
static void empty(FILE *f)
{
	f->_IO_read_base = f->_IO_read_ptr = f->_IO_read_end = f->_IO_buf_base;
	f->_IO_write_base = f->_IO_write_ptr = f->_IO_buf_base;
	/* line-buffered and unbuffered streams look at it for each byte */
	f->_IO_write_end = f->_IO_buf_base;
}

void ff_streams_restore(const struct ff_streams *streams)
{
	const FILE *was;
	FILE *f;
	int i;

	for (i = 0; i < 2; i++) {
		f = streams->stream[i];
		was = &streams->as_it_was[i];
		if (!f)
			continue;
		if (was->_IO_buf_base != f->_IO_buf_base) {
			empty(f);
			continue;
		}
		*f = *was;
		if (unwritten(was))
			memcpy(f->_IO_write_base, streams->text[i],
			       unwritten(was));
	}
}
