#!/bin/bash
# tclsh: exec and pipelines of channels are forked by libtcl, which also has
# atfork handlers.
. "$(dirname "$0")/lib.sh"
needs tclsh
suite_forks_by "$(ldd "$(readlink -f "$(command -v tclsh)")" |
	awk '/libtcl/ { print $3 }')"

suite_file all.tcl <<'X'
for {set i 0} {$i < 64} {incr i} {
	lappend chunks [string repeat [format %c [expr {65 + $i % 26}]] 500000]
}
proc try_exec {args} {
	set r [catch {exec {*}$args} out opt]
	set code none
	if {$r} {set code [lrange [dict get $opt -errorcode] 0 0]
		if {$code eq "CHILDSTATUS"} {
			lappend code [lindex [dict get $opt -errorcode] 2]}}
	puts "$r $code $out"
}
for {set i 0} {$i < 15} {incr i} {
	puts [exec echo "command $i"]
	puts [exec echo "pipeline $i" | cat | tr a-z A-Z]
	try_exec sh -c "echo out; exit $i"
	try_exec sh -c "echo err >&2"
	try_exec sh -c "echo both; echo err >&2" 2>@1
	try_exec /nonexistent/program
	try_exec cat << "here $i"
	exec echo "into a file $i" >> log
	set f [open "|sort" r+]
	puts $f "b\na"; close $f write; puts [read $f]; close $f
	set f [open "|sh -c {cat; exit 3}" r]
	puts [read $f] ; puts [catch {close $f} m] ; puts $m
}
try_exec sh -c {kill -9 $$}
try_exec cat < log
puts [exec env GIVEN=1 sh -c {echo $GIVEN}]
set ::env(SET) yes; puts [exec sh -c {echo $SET}]
set p [exec sleep 0.01 &]; puts [string is integer $p]
puts [exec $env(LOOK) self]
after 50 {set done 1}; vwait done
puts [exec true]
set n 0
foreach c $chunks {
	if {$c eq [string repeat [format %c [expr {65 + $n % 26}]] 500000]} {incr n}
}
puts "ballast $n"
X
want 'exited 0' 'ballast 64'
compare "exec and pipelines" -l tclsh -o \
	-f 's/tcl_[A-Za-z0-9]+/tcl_X/' -- tclsh "$P/all.tcl"

suite_end
