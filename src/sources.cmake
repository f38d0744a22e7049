set(FF_CORE_SOURCES
	arch/x86_64/sys.S
	tell/options.c
	tell/log.c
	tell/stats.c
)
set(FF_PRELOAD_SOURCES
)
