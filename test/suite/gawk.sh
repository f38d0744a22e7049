#!/bin/bash
# gawk: output pipes and system() are libc's popen and system; input pipes and
# coprocesses are forked.
. "$(dirname "$0")/lib.sh"
needs gawk
suite_forks_by gawk

suite_file pipes.awk <<'X'
BEGIN {
	for (i = 0; i < 200000; i++) table[i] = "value " i
	for (i = 1; i <= 15; i++) {
		cmd = "echo read " i "; echo more"
		while ((cmd | getline line) > 0) print line
		print close(cmd)
		cmd = "exit " i; cmd | getline; print close(cmd)
		print table[i] | "sort -r"; print "a" i | "sort -r"
		print close("sort -r")
		print system("echo system " i "; exit " i)
		co = "tr a-z A-Z"
		print table[i] |& co; close(co, "to")
		while ((co |& getline line) > 0) print "back", line
		print close(co)
		cmd = "/nonexistent/program 2>&1"
		cmd | getline line; print line, close(cmd)
	}
	co = "sort"; PROCINFO[co, "pty"] = 1
	print "b\na" |& co; print "\004" |& co
	while ((co |& getline line) > 0) { gsub(/[\r\004\b^D]/, "", line); ptys++ }
	print (ptys > 0), (close(co) >= 0)
	cmd = ENVIRON["LOOK"] " self"
	while ((cmd | getline line) > 0) print line
	close(cmd)
	co = "cat"; for (i = 0; i < 1000; i++) {
		print "ping " i |& co; co |& getline line
		if (line != "ping " i) print "lost", line
	}
	print close(co)
	for (i = 0; i < 200000; i++) if (table[i] != "value " i) print "spoilt", i
	print "ballast intact"
}
X
# Not as a session leader: the terminal of a coprocess would become gawk's.
want 'exited 0' 'ballast intact'
compare "pipes, system, coprocesses" -l gawk -- \
	sh -c 'gawk -f "$P/pipes.awk"; exit $?'

suite_end
