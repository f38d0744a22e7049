/*
 * Probes for tracers: perf, bpftrace, SystemTap, gdb. What probes.def has; in
 * a build without <sys/sdt.h> there are none. Nothing is called, so a probe may
 * be anywhere in the parent.
 */
#ifndef FF_TELL_PROBE_H
#define FF_TELL_PROBE_H

#ifdef FF_HAVE_PROBES
#define SDT_USE_VARIADIC 1
#include <sys/sdt.h>
#define FF_PROBE(name, ...) STAP_PROBEV(flatfork, name, ##__VA_ARGS__)
#else
#define FF_PROBE(name, ...) ff_no_probe(0, ##__VA_ARGS__)

static inline void ff_no_probe(int none, ...)
{
	(void)none;
}
#endif

#endif
