# shellcheck shell=bash
# What runs in the guest for its protection keys: forks that are lent behind a
# fence. As checks.sh.

lane 1
check doctor doctor 'protection keys +yes'
check writes fenced writes
check writes-unseen fenced writes -qbecame -eFLATFORK_FAULT=fence-all,no-mem
check untouched-unseen fenced untouched -eT_OBJECT=/build/test/prog/libprog-fenced-object.so -eFLATFORK_FAULT=fence-all,no-mem
check writes-much fenced writes_much
check shared fenced shared
check reads fenced reads
check asks fenced asks
check stops fenced stops
check faults fenced faults
check signals fenced signals
check forks fenced forks
check allocates fenced allocates
check knows-pid fenced knows_pid
check leads-session fenced leads_session
check leads-group fenced leads_group
check opens-itself fenced opens_itself
check tells-parent fenced tells_parent
check has-policy fenced has_policy
check holds-locks fenced holds_locks
check wipes behind fenced-memory wipes
check handshake fenced handshake -b100
check writes-whole fenced writes_whole -b100
check limits-itself fenced limits_itself
check spins fenced spins -b100
check blocks-all fenced blocks_all
check kills-its-thread fenced kills_its_thread
check faults-handled fenced faults_handled
check is-killed fenced is_killed
check prints-and-exits fenced prints_and_exits
check comes-back fenced comes_back
check changes-environ fenced changes_environ
check atfork fenced atfork
check closes-stream fenced closes_stream
check advises fenced advises
check waits-for-all fenced waits_for_all
check late-checked fenced late_checked
check late-pi fenced late_pi
check late-robust fenced late_robust
check robust fenced robust
check keeps-robust fenced keeps_robust
check libc-keeps fenced libc_keeps
check own-keys behind fenced-calls own_keys
check raw-thread behind fenced-calls raw_thread
check file-page fenced file_page
check has-no-room behind fenced-calls has_no_room
check refused fenced writes_much -eFLATFORK_FAULT=no-room
check not-followed every -eFLATFORK_FAULT=fence-all,no-way-back fenced-memory writes

lane 2
check impure-300th impure_at 300

# real programs: lent, and what becomes a fork first
check find lent /usr/bin/find /test -name 'c*' -exec echo found {} ';'
check gawk lent /usr/bin/gawk -f /test/commands.awk
check bash behind /usr/bin/bash /test/commands.sh
check dash behind /usr/bin/dash /test/commands.sh

# the first of a path, where that is asked for
check asked-for behind -f -eFLATFORK_FAULT= -eFLATFORK_FORK=lent exec-forms

# lent under filters that allow keys; where one ends who asks for a key, or
# refuses it, forks are lazy
check docker-exec-forms filtered docker behind -f exec-forms
check podman-faults filtered podman fenced faults
check system-service-exec-forms filtered system-service behind exec-forms
check system-service-vfork filtered system-service behind vfork-right errno

# all forks of a program behind the fence that can be
check behind-signal-kills-both behind signal-kills-both
check behind-signal-before behind -f -eFLATFORK_FAULT=fence-all,signal signal-before-clone execs
check behind-signal-late behind -f -eFLATFORK_FAULT=fence-all,signal-late signal-before-clone execs
check behind-inherits behind -f inherits-after-exec
check behind-ids behind -f child-ids
check behind-shared-memory behind -f shared-memory-once exec
check behind-stops behind -f stop-cont-kill
lane 1
check behind-ends behind -f ends-without-exec
check behind-nested behind -f nested-forks
check behind-signals judged signals-in-child behind -f signals-in-child
check behind-descriptors behind -f fd-numbers
check behind-pipe behind -f child-blocks pipe
check behind-exec-forms behind -f exec-forms
check behind-limits behind -f limits-tight
check heirs script ground/heirs.sh lent
