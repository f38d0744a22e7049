/*
 * Text that the program has printed and stdio has not written yet. What a
 * child adds to it in borrowed memory would be its parent's to write, too.
 */
#ifndef FF_LIBC_STREAMS_H
#define FF_LIBC_STREAMS_H

#include <stddef.h>
#include <stdio.h>

#define FF_STREAM_BYTES 4096

struct ff_streams {
	FILE *stream[2];
	FILE as_it_was[2];
	char text[2][FF_STREAM_BYTES];
};

/* Note how standard output and standard error are. Only where no other
 * thread can print meanwhile. */
void ff_streams_note(struct ff_streams *streams);

/* Make them so again. Not for a child that is right: then what it printed is
 * its parent's to write. */
void ff_streams_restore(const struct ff_streams *streams);

#endif
