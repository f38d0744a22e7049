#!/bin/bash
# script(1) and expect: children that get a terminal of their own. script
# forks once, and the child takes its terminal before it execs, which can't
# be undone: a trial always ends in a real fork.
. "$(dirname "$0")/lib.sh"
needs script
suite_forks_by script

want 'exited 6' 'on a terminal'
compare "script -c" -x ./typed -f 's/\r//g' -- script -qec \
	'tty >/dev/null && echo on a terminal; exit 6' typed
want 'exited 0' 'read input'
echo input | suite_file input
compare "script with input" -i "$P/input" -f 's/\r//g' -- \
	script -qec 'read x; echo "read $x"' /dev/null
want 'exited 143'
compare "a child that is killed" -f 's/\r//g' -- \
	script -qec 'kill -TERM $$' /dev/null

# expect's child opens its terminal and calls system() before it execs: neither
# can be undone, and the child of system() needs all memory at once. Its forks
# are real; those of tcl's exec are lazy, where it has not come to use vfork.
if command -v expect >/dev/null; then
	suite_asks_lazy=yes
	suite_forks_by "$(ldd "$(command -v expect)" |
		awk '/libtcl/ { print $3 }')"
	suite_file talk.exp <<'X'
log_user 0
for {set i 0} {$i < 10} {incr i} {
	spawn sh -c {stty -echo; echo ready; read x; echo "got <$x>"; exit 4}
	expect -timeout 30 ready
	send "word $i\r"
	expect -timeout 30 -re {got <([^>]*)>} {puts $expect_out(1,string)}
	expect -timeout 30 eof
	puts [lindex [wait] 3]
}
puts [catch {spawn /nonexistent/program}]
puts [exec echo by exec]
X
	want 'exited 0' 'word 9'
	compare "expect" -l '*' -f '/exec|spawn/s/[0-9]+/N/' -- \
		expect -f "$P/talk.exp"
fi

suite_end
