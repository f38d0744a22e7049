# The spawn path: in the interposer, and in the library that programs link.
set(FF_SPAWN_SOURCES
	arch/x86_64/sys.S
	host/coredump.c
	host/environment.c
	host/fault.c
	host/identity.c
	host/pidns.c
	host/sandbox.c
	lazy/gate.c
	spawn/actions.c
	spawn/child.c
	spawn/child_files.c
	spawn/plan.c
	spawn/report.c
	spawn/search.c
	spawn/spawn.c
	spawn/stack.c
)
# What that library adds.
set(FF_API_SOURCES
	api/actions.c
	api/builder.c
	api/start.c
)
# The core knows of no libc name; the interposer defines them and forwards.
set(FF_CORE_SOURCES
	arch/x86_64/again.S
	arch/x86_64/code.c
	arch/x86_64/keys.c
	arch/x86_64/last.S
	arch/x86_64/lend.S
	calls/calls.c
	host/file.c
	host/ground.c
	host/libc.c
	host/place.c
	host/signals.c
	host/threads.c
	lazy/advice.c
	lazy/areas.c
	lazy/call_fd.c
	lazy/call_io.c
	lazy/call_memory.c
	lazy/call_exec.c
	lazy/call_open.c
	lazy/call_process.c
	lazy/call_signal.c
	lazy/calls.c
	lazy/child.c
	lazy/clone.c
	lazy/ending.c
	lazy/fate.c
	lazy/fork.c
	lazy/handed.c
	lazy/last.c
	lazy/intent.c
	lazy/maps.c
	lazy/marks.c
	lazy/mediator.c
	lazy/noted.c
	lazy/own.c
	lazy/pager.c
	lazy/raised.c
	lazy/release.c
	lazy/request.c
	lazy/robust.c
	lazy/slot.c
	lazy/source.c
	lazy/standin.c
	lazy/standins.c
	lazy/strays.c
	lazy/touched.c
	lazy/trap.c
	lazy/trials.c
	lazy/wait.c
	lazy/wiped.c
	lend/become.c
	lend/borrower.c
	lend/fence.c
	lend/fenced.c
	lend/ground.c
	lend/loan.c
	lend/record.c
	lend/rings.c
	lend/room.c
	lend/streams.c
	lend/tids.c
	lend/undo.c
	lend/vfork.c
	site/frame.c
	site/name.c
	site/object.c
	site/site.c
	site/symbol.c
	spawn/libc_actions.c
	spawn/posix.c
	tell/log.c
	tell/options.c
	tell/stats.c
)
# What runs in borrowed memory calls nothing, so the compiler must not make
# calls of loops, of stack protection, or for a sanitizer.
include(CheckCCompilerFlag)
set(FF_CHILD_FLAGS -fno-stack-protector)
foreach(flag -fno-tree-loop-distribute-patterns -fno-sanitize=all
		-fno-profile-arcs)
	string(MAKE_C_IDENTIFIER FF_HAVE${flag} have)
	check_c_compiler_flag("-Werror ${flag}" ${have})
	if(${have})
		list(APPEND FF_CHILD_FLAGS ${flag})
	endif()
endforeach()
set_source_files_properties(
	spawn/child.c spawn/child_files.c spawn/search.c
	PROPERTIES COMPILE_OPTIONS "${FF_CHILD_FLAGS}")
# libunwind is loaded at run time, where a log is wanted; its headers are
# needed to build what does that.
find_path(FF_LIBUNWIND_HEADERS libunwind-x86_64.h)
mark_as_advanced(FF_LIBUNWIND_HEADERS)
if(FF_LIBUNWIND_HEADERS)
	list(APPEND FF_CORE_SOURCES site/walk.c)
	set_source_files_properties(site/walk.c PROPERTIES
		INCLUDE_DIRECTORIES ${FF_LIBUNWIND_HEADERS})
else()
	list(APPEND FF_CORE_SOURCES site/walk_none.c)
endif()
set(FF_PRELOAD_SOURCES
	arch/x86_64/leave.S
	arch/x86_64/syscall.S
	arch/x86_64/vfork.S
	host/next.c
	preload/exec.c
	preload/fork.c
	preload/init.c
	preload/lend.c
	preload/memory.c
	preload/group.c
	preload/namespaces.c
	preload/signal.c
	preload/spawn.c
	preload/wait.c
)
