# The table of behaviours. LAZY where the program's children exec, LENT where a
# CPU with protection keys must lend.

# memory
behaviour(child-scribbles LAZY)
behaviour(child-scribbles-thread LAZY)
behaviour(stack-16k-context LAZY)
behaviour(child-stdio-then-exec LAZY)
behaviour(child-environ LAZY)
behaviour(child-reads-far LAZY ARGS 64)
behaviour(child-reads-far TEST child-reads-very-far ARGS 2048)
behaviour(child-malloc-heavy LAZY)
behaviour(child-maps LAZY)
behaviour(madvise-for-children LAZY)
foreach(marks dontfork_moves wipe_moves dontfork_by_hand wipe_by_hand
		dontfork_by_syscall whole beside_mremap beside_realloc
		of_libraries threads_own)
	behaviour(marks LAZY TEST marks-${marks} ARGS ${marks}
		OPTIONS -e FLATFORK_LEND=off)
endforeach()
foreach(other mremap realloc)
	behaviour(marks TEST marks-own_beside_${other}
		ARGS own_beside_${other})
endforeach()
behaviour(area-protections LAZY)
behaviour(private-file-map)
behaviour(droppable LAZY)
behaviour(userfaultfd)
behaviour(userfaultfd TEST userfaultfd-device ARGS device)
foreach(what around guard let-go)
	behaviour(guard-pages LAZY TEST guard-pages-${what} ARGS ${what})
endforeach()
behaviour(guard-pages TEST guard-pages-stopped ARGS stopped)
behaviour(huge-pages LAZY TEST huge-pages-thp ARGS thp)
behaviour(huge-pages LAZY TEST huge-pages-hugetlb ARGS hugetlb)

# the kernel at absent memory
behaviour(sys-writes)
behaviour(sys-paths LAZY)
behaviour(sys-big-argv LAZY)
behaviour(sys-results LAZY)
behaviour(asks-the-kernel LAZY OPTIONS -e FLATFORK_LEND=off)
behaviour(calls-with-anything LAZY)
foreach(what error polled selected int80 prot around later mapped moved keyed)
	behaviour(seen-once TEST seen-once-${what} ARGS ${what})
endforeach()

# side effects before exec or end
behaviour(shared-memory-once LENT TEST shared-memory-exec ARGS exec)
behaviour(shared-memory-once TEST shared-memory-exit ARGS exit)
behaviour(shared-memory-once TEST shared-memory-wait ARGS wait)
behaviour(reads-into-shared)
behaviour(shared-near-thread)
foreach(how advised by_hand perf)
	behaviour(shared-not-inherited LAZY TEST shared-not-inherited-${how}
		ARGS ${how} OPTIONS -e FLATFORK_LEND=off -q real:)
	behaviour(shared-not-inherited LAZY
		TEST shared-not-inherited-${how}-written
		ARGS ${how} writes OPTIONS -e FLATFORK_LEND=off)
endforeach()
behaviour(shared-not-inherited TEST shared-not-inherited-sealed
	ARGS sealed writes
	OPTIONS -g "real: rolled back: child has shared memory that stays writable")
# what can't be made read-only is not accessible on trial
behaviour(shared-not-inherited LAZY TEST shared-not-inherited-closed
	ARGS advised writes
	OPTIONS -e FLATFORK_LEND=off -e FLATFORK_FAULT=no-readonly)
behaviour(shared-memory-once TEST shared-memory-exec-closed ARGS exec
	OPTIONS -e FLATFORK_FAULT=no-readonly)
behaviour(reads-into-shared TEST reads-into-shared-closed
	OPTIONS -e FLATFORK_FAULT=no-readonly)
behaviour(shared-offset-once TEST shared-offset-exec ARGS exec)
behaviour(shared-offset-once TEST shared-offset-exit ARGS exit)
behaviour(files-made-once TEST files-made-exec ARGS exec)
behaviour(files-made-once TEST files-made-exit ARGS exit)

# ends, generations, identity
behaviour(ends-without-exec LENT)
behaviour(atexit-and-stdio)
behaviour(nested-forks LAZY LENT)
behaviour(forks-of-a-fork LAZY)
behaviour(daemons)
behaviour(inherits-after-exec LAZY LENT)
behaviour(child-ids LAZY LENT)
behaviour(child-setuid LAZY)
# the first is lent or lazy, the last is not
behaviour(parent-sets-group OPTIONS -b 20000
	-g "real: parents here change their children before exec")
behaviour(parent-sets-group LAZY TEST parent-sets-group-both ARGS both
	OPTIONS -e FLATFORK_LEND=off)
behaviour(child-signal-kinds LAZY)
behaviour(waits-in-threads)
foreach(name wait3 wait4 __waitpid waitid raw-wait4 raw-waitid)
	behaviour(waits-by-names TEST waits-by-names-${name} ARGS ${name})
endforeach()
behaviour(waits-in-threads LAZY TEST waits-in-threads-ordinary ARGS ordinary)

# never a hang
foreach(way pipe eof hello full-pipe stop traced traced-exec flock lockf fifo
		spin yield usleep semaphore eventfd poll select sigsuspend
		sigwait message accept file-appears)
	behaviour(child-blocks TEST child-blocks-${way} ARGS ${way})
	if(NOT way STREQUAL traced-exec)
		behaviour(child-blocks TEST child-blocks-${way}-exit
			ARGS ${way} exit)
	endif()
endforeach()
behaviour(child-on-a-terminal)
behaviour(stopped-after-output)
foreach(how spins alarmed alarm_ends killed execs on_trial refused ends ends_late
		falls)
	# what is known of the site must not depend on a busy machine
	behaviour(handed-over LAZY TEST handed-over-${how} ARGS ${how}
		OPTIONS -b 1500 -k hydrations -e FLATFORK_LEND=off)
endforeach()
behaviour(handed-over TEST handed-over-no_more ARGS no_more
	OPTIONS -b 1500 -e FLATFORK_LEND=off)
foreach(how return exit _exit exec raw-exec stays raw-waits)
	behaviour(standin-unseen LAZY TEST standin-unseen-${how} ARGS ${how}
		OPTIONS -b 1500 -k hydrations -e FLATFORK_LEND=off)
endforeach()
foreach(how name raw fails-before exits)
	behaviour(exec-by-thread TEST exec-by-thread-${how} ARGS ${how}
		OPTIONS -b 5000)
endforeach()
foreach(what robust robust_exits robust_held grows forks limits_self)
	behaviour(committed-keeps LAZY TEST committed-keeps-${what}
		ARGS ${what} OPTIONS -e FLATFORK_LEND=off)
endforeach()
behaviour(committed-keeps TEST committed-keeps-limit ARGS limit
	OPTIONS -e FLATFORK_LEND=off)
behaviour(committed-moves LAZY)
foreach(which reads signals lists file)
	behaviour(committed-pointers LAZY TEST committed-pointers-${which}
		ARGS ${which})
endforeach()
foreach(which writes-too-much handles-too-much ends-too-late
	handles-before-the-end notices-alarm notices-alarm-on-trial
	ignores-alarm handles-ignored dies-of-ignored blocks-ignored
	blocks-ignored-on-trial duplicates-none files pair sockets from-above)
	behaviour(committed-outputs LAZY TEST committed-outputs-${which}
		ARGS ${which})
endforeach()

# descriptors and limits
behaviour(fd-numbers LAZY LENT)
behaviour(fd-folders LAZY)
behaviour(limits-tight LENT)

# signals
behaviour(signals-in-child LAZY LENT)
foreach(raised ill trap fpe bus actions stack)
	foreach(how trial committed)
		behaviour(raised-in-child LAZY
			TEST raised-in-child-${raised}-${how}
			ARGS ${raised} ${how})
	endforeach()
endforeach()
foreach(how sleeps state jumps blocks-all on-stack)
	behaviour(exec-window LAZY TEST exec-window-${how} ARGS ${how})
endforeach()
behaviour(signals-to-parent-once TEST signals-to-parent-exec ARGS exec)
behaviour(signals-to-parent-once TEST signals-to-parent-exit ARGS exit)
behaviour(signal-kills-both)
foreach(when signal signal-late)
	foreach(child writes execs)
		behaviour(signal-before-clone
			TEST ${when}-before-clone-${child} ARGS ${child}
			OPTIONS -e FLATFORK_LEND=off -e FLATFORK_FAULT=${when}
			-g "real: a signal waits for the program")
	endforeach()
	behaviour(signal-before-clone TEST ${when}-before-clone-vforks
		ARGS vforks OPTIONS -e FLATFORK_FAULT=${when})
endforeach()
behaviour(stop-cont-kill LENT)
behaviour(segv-handlers-of-threads LAZY)
behaviour(segv-handlers-of-threads TEST sys-handlers-of-threads ARGS sys)
behaviour(fork-in-handler)
behaviour(pending-at-fork LAZY)
behaviour(pending-at-fork TEST pending-at-fork-sys ARGS sys)
behaviour(parent-dies-first LAZY)

behaviour(namespace-limits)

# what is the program's own, or its parent's
foreach(how fork vfork late)
	behaviour(own-dispatch TEST own-dispatch-${how} ARGS ${how})
endforeach()
behaviour(sealed)
behaviour(waits-in-borrowed LAZY OPTIONS -e FLATFORK_LEND=off)

# the init of a pid namespace
foreach(first ends says execs says_and_execs fails_to_exec syscall inherits
		others handler_leaves vfork_handles spawn_fails spawns system
		popen inits vfork_behind_init forks_behind_init vforked_leaves)
	behaviour(first-in-namespace TEST first-in-namespace-${first}
		ARGS ${first})
endforeach()

# the ways to call it, what runs around it, what comes after it
foreach(way fork _Fork __fork __libc_fork)
	behaviour(fork-ways LAZY TEST fork-way-${way} ARGS ${way})
endforeach()
foreach(way vfork sys-fork sys-clone sys-clone-settid sys-clone3 clone-stack)
	behaviour(fork-ways TEST fork-way-${way} ARGS ${way})
endforeach()
behaviour(atfork-handlers LAZY)
behaviour(before-libc LAZY)
foreach(handlers stops_world changes_ids holder_waits forks forks_in_signal)
	behaviour(fork-among-handlers LAZY TEST fork-among-${handlers}
		ARGS ${handlers})
endforeach()
behaviour(fork-among-handlers TEST fork-among-forks_for_real
	ARGS forks_for_real)
behaviour(exec-forms LAZY LENT)
behaviour(child-uses-all LAZY)
behaviour(locks-of-the-dead)

behaviour(same-site-mixed LAZY)
behaviour(same-site-mixed LAZY TEST same-site-in-runs ARGS runs)

# what other processes can write
behaviour(hostile-worker LAZY)

# what is ours is not written where the program's is
foreach(by file pipe socket)
	behaviour(stderr-replaced LAZY TEST stderr-replaced-by-${by} ARGS ${by}
		OPTIONS -e FLATFORK_LOG=stderr)
	behaviour(stderr-replaced LAZY TEST stderr-replaced-by-${by}-in-threads
		ARGS ${by} threads OPTIONS -e FLATFORK_LOG=stderr)
endforeach()

# another copy of us: a file of its own, or it would be the same object
set(copy ${CMAKE_CURRENT_BINARY_DIR}/loaded-twice.so)
add_custom_command(OUTPUT ${copy} DEPENDS flatfork-preload COMMAND
	${CMAKE_COMMAND} -E copy $<TARGET_FILE:flatfork-preload> ${copy})
add_custom_target(loaded-twice-copy ALL DEPENDS ${copy})
foreach(how dlopen dlmopen)
	behaviour(loaded-twice LAZY TEST loaded-twice-${how} ARGS ${how}
		OPTIONS -e LOADED=${copy})
endforeach()
behaviour(loaded-twice TEST loaded-twice-threads ARGS dlopen threads
	OPTIONS -e LOADED=${copy})

# threads
behaviour(handler-in-window)
behaviour(handler-set-meanwhile LAZY)
foreach(change write write-heap unmap map-over protect drop move)
	behaviour(snapshot-at-fork TEST snapshot-at-fork-${change}
		ARGS ${change})
endforeach()
behaviour(threads-while-forking LAZY ARGS 60)

# the spawn path: these programs do not fork
behaviour(spawn-forms)

# posix_spawn and its family
behaviour(spawn-errors)
behaviour(spawn-errors TEST spawn-errors-in-thread ARGS thread)
behaviour(spawn-attributes)
t_source(spawn-plugin plugin)
add_library(prog-spawn-plugin MODULE ${plugin})
target_compile_definitions(prog-spawn-plugin PRIVATE _GNU_SOURCE)
behaviour(spawn-foreign TEST spawn-foreign-objects
	ARGS $<TARGET_FILE:prog-spawn-plugin> OPTIONS -k spawns)
behaviour(spawn-foreign TEST spawn-foreign-under-filter
	ARGS $<TARGET_FILE:prog-spawn-plugin> filter)
foreach(topic masks handler storm cancel atfork)
	behaviour(spawn-signals TEST spawn-signals-${topic} ARGS ${topic})
endforeach()
behaviour(spawn-threads)
behaviour(spawn-once)
behaviour(spawn-in-child)
target_link_libraries(prog-spawn-in-child PRIVATE flatfork::shared)

# what else starts programs is libc's, and stays so
behaviour(shell-commands)
behaviour(system-rules)
behaviour(popen-rules)
behaviour(wordexp-rules)

# libc before 2.39 has no such attribute; libflatfork has no oracle
t_executable(spawn-cgroups)
target_link_libraries(prog-spawn-cgroups PRIVATE flatfork::shared)
add_test(NAME behaviour-spawn-cgroups COMMAND env
	LD_PRELOAD=$<TARGET_FILE:flatfork-preload>
	T_REPORT=$<TARGET_FILE:prog-report> $<TARGET_FILE:prog-spawn-cgroups>)
set_tests_properties(behaviour-spawn-cgroups PROPERTIES LABELS behaviour
	SKIP_RETURN_CODE 77 TIMEOUT 250)

# the same with system calls that fail: libc's too, or (-o) ours alone
add_library(t_deny OBJECT deny.c)
behaviour(spawn-denied ARGS $<TARGET_FILE:noop>)
target_link_libraries(prog-spawn-denied PRIVATE t_deny)
t_executable(denied)
target_link_libraries(prog-denied PRIVATE t_deny)
foreach(program spawn-errors spawn-attributes spawn-threads)
	behaviour(denied TEST ${program}-without-clone3
		ARGS clone3=ENOSYS $<TARGET_FILE:prog-${program}>)
	behaviour(denied TEST ${program}-without-close-range
		ARGS close_range=ENOSYS $<TARGET_FILE:prog-${program}>)
endforeach()
behaviour(denied TEST first-in-namespace-without-clone3
	ARGS clone3=ENOSYS $<TARGET_FILE:prog-first-in-namespace> spawns)
foreach(error EPERM EINVAL)
	behaviour(denied TEST spawn-errors-clone3-${error}
		ARGS -o clone3=${error} $<TARGET_FILE:prog-spawn-errors>)
	behaviour(denied TEST spawn-attributes-clone3-${error}
		ARGS -o clone3=${error} $<TARGET_FILE:prog-spawn-attributes>)
endforeach()

# and a program that ends who makes other calls than its own
foreach(what ends exits strict seccomp execs forks forks_to_exec vforks
		vforked spawns sets)
	behaviour(sandboxed TEST sandboxed-${what} ARGS ${what})
endforeach()
behaviour(sandboxed LAZY TEST sandboxed-asks ARGS asks)
behaviour(sandboxed LAZY TEST sandboxed-beside ARGS beside)
behaviour(sandboxed TEST sandboxed-beside_vforks ARGS beside_vforks)
behaviour(sandboxed TEST sandboxed-beside_spawns ARGS beside_spawns)
# spawned by copying the process, where real forks are counted meanwhile
behaviour(sandboxed LAZY TEST sandboxed-killed_in_spawn ARGS killed_in_spawn
	OPTIONS -e FLATFORK_FAULT=no-clone3,no-share)
target_link_libraries(prog-sandboxed PRIVATE t_deny)

# vfork: wrong children are compared with fork's
set(ends return return_unflushed return_pipe return_far return_values
	return_registers return_again return_often tail_call exit printf_exit
	quick_exit err errx verr verrx error error_at_line warn_exit abort
	longjmp _longjmp siglongjmp)
t_executable_O0(vfork-wrong-ends)
foreach(end ${ends})
	behaviour(vfork-wrong-ends TEST vfork-wrong-${end} ARGS ${end}
		OPTIONS -w)
	behaviour(vfork-wrong-ends-O0 TEST vfork-wrong-${end}-O0 ARGS ${end}
		OPTIONS -w)
endforeach()
foreach(call fork _Fork fork_exec vfork vfork_exec sys_fork forkpty spawn
		system popen daemon thread thread_then_exit pthread_exit
		thread_in_threads fork_in_threads exit_in_threads thread_state
		robust_mutex atfork dumpable thp_disable mlockall munlockall
		set_ids set_effective set_res set_raw)
	behaviour(vfork-wrong-calls TEST vfork-wrong-calls-${call} ARGS ${call}
		OPTIONS -w)
endforeach()
# where it can't become a fork, now or ever, it has acted all the same
behaviour(vfork-wrong-calls TEST vfork-wrong-calls-acts_first-no_way_back
	ARGS acts_first OPTIONS -w -e FLATFORK_FAULT=no-way-back)
behaviour(vfork-wrong-calls TEST vfork-wrong-calls-acts_first-no_room
	ARGS acts_first OPTIONS -w -e FLATFORK_FAULT=no-room)
foreach(state descriptors directory group session group_seen dispositions
		altstack inherited task memory madvised libc_keeps)
	behaviour(vfork-wrong-state TEST vfork-wrong-state-${state}
		ARGS ${state} OPTIONS -w)
endforeach()
foreach(signals handler_in_read handler_restarts raise kill own_handler
		default ignored unblocked fault trap division handled_then_exec
		timer_goes_on sigstop
		sigstop_exec sigtstp stopped_in_read terminal sigchld
		sigchld_ignored wait_any storm orphan)
	behaviour(vfork-wrong-signals TEST vfork-wrong-signals-${signals}
		ARGS ${signals} OPTIONS -w)
endforeach()
foreach(when leaving left)
	behaviour(vfork-wrong-signals TEST vfork-wrong-signals-all_${when}
		ARGS all OPTIONS -w -e FLATFORK_FAULT=signal-${when})
endforeach()

# right children: plain vfork is the oracle
foreach(right book results errno exec_forms statuses inherits descriptors
		sigchld atfork stdio parent_signalled jumps killed slow names
		jumped often fails asks_actions asks_all)
	behaviour(vfork-right TEST vfork-${right} ARGS ${right})
endforeach()
foreach(right book results often)
	behaviour(vfork-right TEST vfork-${right}-libc ARGS ${right}
		OPTIONS -e FLATFORK_VFORK=libc)
endforeach()
foreach(threads suspends_caller at_once credentials ids_of_all waiter masks
		identity short_lives writers cancel)
	behaviour(vfork-threads TEST vfork-threads-${threads} ARGS ${threads})
endforeach()
t_executable_O0(vfork-frames)
foreach(program vfork-frames vfork-frames-O0)
	foreach(frame frames thread_16k context_16k handler altstack)
		behaviour(${program} TEST ${program}-${frame} ARGS ${frame})
	endforeach()
	foreach(frame wrong wrong_thread_16k wrong_context_16k wrong_handler)
		behaviour(${program} TEST ${program}-${frame} ARGS ${frame}
			OPTIONS -w)
	endforeach()
endforeach()

t_executable(openmp-forks)
target_link_libraries(prog-openmp-forks PRIVATE OpenMP::OpenMP_C)
foreach(case sums dynamic)
	behaviour(openmp-forks LAZY TEST openmp-forks-${case} ARGS ${case})
endforeach()

# forks that borrow memory behind protection keys; elsewhere they are lazy
foreach(case writes writes_much allocates knows_pid leads_session leads_group
		opens_itself tells_parent has_policy holds_locks shared
		reads spins asks blocks_all kills_its_thread stops faults
		faults_handled signals is_killed forks prints_and_exits
		comes_back changes_environ atfork closes_stream
		advises waits_for_all late_checked late_pi late_robust robust
		keeps_robust file_page libc_keeps)
	behaviour(fenced-forks LAZY LENT TEST fenced-forks-${case}
		ARGS ${case})
endforeach()
foreach(never wipes own_keys raw_thread)
	behaviour(fenced-forks LAZY TEST fenced-forks-${never} ARGS ${never})
endforeach()
# what is bound lazily is put back, and would be counted
target_link_options(prog-fenced-forks PRIVATE -Wl,-z,now)
# as somebody who may not write statistics
behaviour(fenced-forks TEST fenced-forks-has_no_room ARGS has_no_room)
# it is refused at first
behaviour(fenced-forks LAZY LENT TEST fenced-forks-refused ARGS writes_much
	OPTIONS -e FLATFORK_FAULT=no-room)
# nor can it be followed: then it is none
behaviour(fenced-forks LAZY TEST fenced-forks-not_followed ARGS writes
	OPTIONS -e FLATFORK_FAULT=fence-all,no-way-back)
# there it waits until its time is up
foreach(case handshake writes_whole)
	behaviour(fenced-forks LAZY LENT TEST fenced-forks-${case} ARGS ${case}
		OPTIONS -b 100)
endforeach()
behaviour(fenced-forks LAZY LENT TEST fenced-forks-limits_itself
	ARGS limits_itself)
