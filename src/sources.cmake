# Spawns: in the interposer, and in the library that programs link.
set(FF_SPAWN_SOURCES
	arch/${FF_ARCH}/sys.S
	host/coredump.c
	libc/environment.c
	libc/libc.c
	host/fault.c
	host/identity.c
	host/pidns.c
	host/sandbox.c
	process/gate.c
	spawn/actions.c
	spawn/child/child.c
	spawn/child/files.c
	spawn/plan.c
	spawn/parent/report.c
	spawn/child/search.c
	spawn/parent/clone.c
	spawn/parent/spawn.c
	spawn/parent/stack.c
)
# What that library adds.
set(FF_API_SOURCES
	api/actions.c
	api/builder.c
	api/start.c
)
# The core knows of no libc name; the interposer defines them and forwards.
set(FF_CORE_SOURCES
	arch/${FF_ARCH}/again.S
	arch/${FF_ARCH}/code.c
	arch/${FF_ARCH}/keys.c
	arch/${FF_ARCH}/last.S
	arch/${FF_ARCH}/lend.S
	calls/calls.c
	host/file.c
	host/held.c
	host/newborn.c
	host/ground.c
	libc/next.c
	libc/rseq.c
	libc/place.c
	host/signals.c
	host/smaps.c
	host/storage.c
	libc/threads.c
	lazy/parent/advice.c
	lazy/areas.c
	lazy/child/call_fd.c
	lazy/child/call_io.c
	lazy/child/call_memory.c
	lazy/child/call_ask.c
	lazy/child/call_exec.c
	lazy/child/call_open.c
	lazy/child/call_process.c
	lazy/child/call_signal.c
	lazy/child/call_thread.c
	lazy/child/calls.c
	lazy/child/census.c
	lazy/child/child.c
	lazy/child/limit.c
	lazy/parent/clone.c
	ways/account.c
	ways/decide.c
	ways/ending.c
	process/aside.c
	process/ask.c
	process/asker.c
	process/fate.c
	process/filter.c
	process/questions.c
	ways/fork.c
	process/handed.c
	lazy/child/last.c
	ways/cost.c
	ways/heirs.c
	ways/intent.c
	ways/pass.c
	ways/lend.c
	ways/settings.c
	host/maps.c
	lazy/parent/advised.c
	lazy/parent/ahead.c
	lazy/parent/lost.c
	lazy/parent/marks.c
	lazy/parent/refused.c
	lazy/child/mediator.c
	process/noted.c
	lazy/child/own.c
	lazy/child/pager.c
	lazy/child/raised.c
	lazy/child/release.c
	lazy/child/reserve.c
	calls/request.c
	lazy/child/robust.c
	lazy/slot.c
	lazy/child/source.c
	lazy/parent/serve.c
	lazy/parent/sparse.c
	lazy/parent/standin.c
	lazy/parent/supply.c
	process/stance.c
	process/standins.c
	lazy/strays.c
	lazy/child/thread.c
	lazy/child/touched.c
	lazy/child/watched.c
	process/sends.c
	process/sigsys.c
	lazy/trap.c
	process/trials.c
	process/turn.c
	lazy/parent/wait.c
	lazy/child/wiped.c
	lend/${FF_ARCH}/entry.S
	lend/child/become.c
	lend/child/borrower.c
	lend/copied.c
	lend/fence.c
	lend/child/envoy.c
	lend/child/farewell.c
	lend/child/fenced.c
	lend/parent/ground.c
	lend/parent/reap.c
	lend/loan.c
	lend/record.c
	lend/parent/rings.c
	lend/headroom.c
	libc/streams.c
	libc/control.c
	libc/tids.c
	lend/parent/undo.c
	lend/parent/clone.c
	lend/parent/frame.c
	lend/parent/vfork.c
	site/dwarf.c
	site/frame.c
	site/name.c
	libc/object.c
	site/site.c
	site/symbol.c
	site/tally.c
	site/tally_line.c
	libc/actions.c
	libc/attributes.c
	spawn/parent/posix.c
	tell/config.c
	tell/json.c
	tell/log.c
	tell/options.c
	tell/places.c
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
	spawn/child/child.c spawn/child/files.c spawn/child/search.c
	PROPERTIES COMPILE_OPTIONS "${FF_CHILD_FLAGS}")
# libunwind is loaded at run time, where a log is wanted; its headers are
# needed to build what does that.
find_path(FF_LIBUNWIND_HEADERS libunwind-${FF_ARCH}.h)
mark_as_advanced(FF_LIBUNWIND_HEADERS)
if(FF_LIBUNWIND_HEADERS)
	list(APPEND FF_CORE_SOURCES site/walk.c)
	set_source_files_properties(site/walk.c PROPERTIES
		INCLUDE_DIRECTORIES ${FF_LIBUNWIND_HEADERS})
else()
	list(APPEND FF_CORE_SOURCES site/walk_none.c)
endif()
set(FF_PRELOAD_SOURCES
	preload/${FF_ARCH}/leave.S
	preload/${FF_ARCH}/syscall.S
	preload/${FF_ARCH}/vfork.S
	preload/next.c
	preload/exec.c
	preload/fork.c
	preload/heirs.c
	preload/init.c
	preload/lend.c
	preload/memory.c
	preload/group.c
	preload/namespaces.c
	preload/send.c
	preload/signal.c
	preload/spawn.c
	preload/wait.c
)
