# shellcheck shell=bash
# What runs in the guest for its protection keys: forks that are lent behind a
# fence. As checks.sh.

lane 1
check doctor doctor 'protection keys +yes'
check writes fenced writes
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
check wipes threeways -l fenced-forks wipes
check handshake fenced handshake -b100
check spins fenced spins -b100
check blocks-all fenced blocks_all
check kills-its-thread fenced kills_its_thread
check faults-handled fenced faults_handled
check is-killed fenced is_killed
check prints-and-exits fenced prints_and_exits

lane 2
check impure-1000th impure_at 1000

# real programs: lent, and what becomes a fork first
check find lent /usr/bin/find /test -name 'c*' -exec echo found {} ';'
check gawk lent /usr/bin/gawk -f /test/commands.awk
check bash threeways -l /usr/bin/bash /test/commands.sh
check dash threeways -l /usr/bin/dash /test/commands.sh

# all forks of a program behind the fence that can be
check behind-signal-kills-both behind signal-kills-both
check behind-inherits behind -kforks_lent inherits-after-exec
check behind-ids behind -kforks_lent child-ids
check behind-shared-memory behind -kforks_lent shared-memory-once exec
check behind-stops behind -kforks_lent stop-cont-kill
lane 1
check behind-ends behind -kforks_lent ends-without-exec
check behind-nested behind -kforks_lent nested-forks
check behind-signals behind -kforks_lent signals-in-child
check behind-descriptors behind -kforks_lent fd-numbers
check behind-pipe behind -kforks_lent child-blocks pipe
check behind-exec-forms behind -kforks_lent exec-forms
check behind-limits behind -kforks_lent limits-tight
