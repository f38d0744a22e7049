# shellcheck shell=bash
# What runs in the guest, the most telling first. Sourced there to run it, and
# by kernel.sh for the names.
#
#	lane NUMBER
#	check NAME COMMAND...
#
# One lane for each processor of the guest: the checks of both run at once.
# The commands are functions of init; threeways is test/prog/threeways.sh.
# Nothing here keeps its threads busy all the time: emulated, that is slow.

lane 1
check doctor doctor
check perl threeways -l /usr/bin/perl /test/mainjob.pl 100 timings 4 4 4

# the image over the missing stack, areas beside threads, the pager
check stack-16k-context threeways -l stack-16k-context
check child-scribbles threeways -l child-scribbles
check child-reads-far threeways -l child-reads-far 64
check child-maps threeways -l child-maps
check madvise-for-children threeways -l madvise-for-children

# exec, death and everything in between, for the futex and the wait calls
check exec-forms threeways -l exec-forms
check nested-forks threeways -l nested-forks
check ends-without-exec threeways ends-without-exec
check waits-in-threads threeways waits-in-threads

# the mediator, signals, descriptors
check sys-writes threeways -eT_MIB=64 sys-writes
check sys-results threeways -l sys-results
check signals-in-child threeways -l signals-in-child
check fd-numbers threeways -l fd-numbers
check atfork-handlers threeways -l atfork-handlers
check child-scribbles-thread threeways -l child-scribbles-thread

# spawns: clone3, close_range, pidfds and cgroups of this kernel
lane 2
check spawn-inject injected "posix_spawnp, closefrom"
check spawn-cgroups preloaded spawn-cgroups
check spawn-forms threeways spawn-forms
check spawn-errors threeways spawn-errors
check spawn-attributes threeways spawn-attributes
check spawn-signals-masks threeways spawn-signals masks
check spawn-in-child threeways spawn-in-child 1

# vfork, right and wrong
check vfork-book threeways vfork-right book
check vfork-inherits threeways vfork-right inherits
check vfork-returns threeways -w vfork-wrong-ends return
check vfork-exits threeways -w vfork-wrong-ends printf_exit
check vfork-makes-a-thread threeways -w vfork-wrong-calls thread
check vfork-handles threeways -w vfork-wrong-signals handler_in_read
check vfork-stops threeways -w vfork-wrong-status sigstop
check vfork-identity threeways vfork-threads identity
