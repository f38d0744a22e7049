# shellcheck shell=bash
# What runs in the guest because tests count: forks that would be lazy are lent
# where there are protection keys, and no test may fail for that. Scripts of
# other rooms, as they are; but for lowmem/heuristic.sh, as a plain fork of the
# big process succeeds on this kernel. As checks.sh.

lane 1
check doctor doctor 'protection keys +yes'
check namespace-others every first-in-namespace others
check lowmem-cgroup script lowmem/cgroup.sh
check nothing-missing script ground/ground.sh nothing_missing
check sigsys-handler script ground/ground.sh sigsys_handler
check fault-none script ground/faults.sh none

lane 2
check full-descriptor-table script ground/ground.sh full_descriptor_table
check tight-address-space script ground/ground.sh tight_address_space
check fault-fetch script ground/faults.sh fetch
check fault-no-procmap script ground/faults.sh no-procmap
