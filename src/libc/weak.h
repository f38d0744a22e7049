/*
 * Names that not every libc has, or has elsewhere: weak, so that the object
 * can be loaded with any. Whoever uses one says FF_WEAK() of it before all
 * headers, and is only reached where libc is known (libc.h), or looks whether
 * it is NULL. What is used besides is in needs.def.
 */
#ifndef FF_LIBC_WEAK_H
#define FF_LIBC_WEAK_H

/* clang-format off */
#define FF_WEAK_NAMES(X)                                                    \
	X(__cxa_at_quick_exit)				/* no musl */       \
	X(__libc_single_threaded)			/* 2.32 */          \
	X(__libc_stack_end)				/* no musl */       \
	X(__rseq_offset)				/* 2.35 */          \
	X(__rseq_size)					/* 2.35 */          \
	X(_dl_find_object)				/* 2.35 */          \
	X(_r_debug)					/* no musl */       \
	X(dlclose)					/* libdl: to 2.33 */\
	X(dlerror)					/* libdl: to 2.33 */\
	X(dlopen)					/* libdl: to 2.33 */\
	X(dlsym)					/* libdl: to 2.33 */\
	X(getcontext)					/* no musl */       \
	X(gnu_get_libc_version)				/* no musl */       \
	X(posix_spawn_file_actions_addfchdir_np)	/* 2.29 */          \
	X(strerrordesc_np)				/* 2.32 */
/* clang-format on */

#define FF_PRAGMA(text) _Pragma(#text)
#define FF_WEAK(name) FF_PRAGMA(weak name)

#endif
