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
check handshake fenced handshake
check spins fenced spins
check blocks-all fenced blocks_all
check kills-its-thread fenced kills_its_thread
check faults-handled fenced faults_handled
check is-killed fenced is_killed
check prints-and-exits fenced prints_and_exits

lane 2
check impure-1000th impure_at 1000
