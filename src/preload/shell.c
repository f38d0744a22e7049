/*
 * The names that run a shell. They forward: to the spawn path, or to libc
 * where spawns are libc's, and streams where the stream is libc's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <wordexp.h>

#include "host/libc.h"
#include "host/next.h"
#include "lazy/gate.h"
#include "preload/preload.h"
#include "preload/spawn.h"
#include "spawn/shell.h"

#define CALLER __builtin_return_address(0)

FF_EXPORT int system(const char *command)
{
	if (!ff_spawn_is_ours())
		return FF_NEXT(system)(command);
	ff_leave_lazy_child();
	return ff_system(command, CALLER);
}

FF_EXPORT FILE *popen(const char *command, const char *mode)
{
	if (!ff_spawn_is_ours())
		return FF_NEXT(popen)(command, mode);
	ff_leave_lazy_child();
	return ff_popen(command, mode, CALLER);
}

FF_EXPORT int pclose(FILE *stream)
{
	if (ff_is_popened(stream))
		return ff_pclose(stream, FF_NEXT(fclose));
	return FF_NEXT(pclose)(stream);
}

FF_EXPORT int fclose(FILE *stream)
{
	if (ff_is_popened(stream))
		return ff_pclose(stream, FF_NEXT(fclose));
	return FF_NEXT(fclose)(stream);
}

/* Before 2.33 it forks: not while marks stand. */
FF_EXPORT int wordexp(const char *words, wordexp_t *result, int flags)
{
	bool forks = ff_spawn_is_ours() && ff_libc_is_before(33) &&
		     !(flags & WRDE_NOCMD);
	int rc;

	if (forks)
		ff_gate_enter_real();
	rc = FF_NEXT(wordexp)(words, result, flags);
	if (forks)
		ff_gate_leave_real();
	return rc;
}
