#!/bin/bash
# vim: ":!" and system() fork; on a terminal the child gets a terminal of its
# own or the user's.
. "$(dirname "$0")/lib.sh"
needs vim script
suite_forks_by vim

suite_file many.vim <<'X'
set nocp shell=/bin/sh
for i in range(1, 15)
	call append('$', systemlist('echo system ' . i . '; echo err >&2; exit ' . i))
	call append('$', 'status ' . v:shell_error)
	call append('$', systemlist('tr a-z A-Z', ['input ' . i]))
	execute 'silent !echo bang ' . i . ' >>banged; exit ' . i
	call append('$', 'status ' . v:shell_error)
endfor
call append('$', systemlist('/nonexistent/program'))
call append('$', 'status ' . v:shell_error)
read !echo read
1,3!sort -r
call append('$', range(1, 3000))
silent $-2999,$!sort -n -r
write !wc -l >counted
call append('$', map(systemlist($LOOK . ' self'),
	\ 'substitute(v:val, "tmp/v[^/]*", "tmp/vX", "g")'))
wq! out.txt
X
want 'exited 0'
# vim handles every signal that would end it, SIGSYS among them: its forks
# are libc's.
compare "system(), ranges through filters, :read !" -- \
	vim -u NONE -i NONE -n -es -S "$P/many.vim" nothing.txt
want 'exited 0' 'from the child'
compare "-c '!cmd' on a terminal" -f 's/\r//g;/from the child/!d;s/.*(from the child [0-9]+).*/\1/' -- \
	script -qec "vim -u NONE -i NONE -n -T dumb -c '!echo from the child 1; echo effect >effect' -c '!echo from the child 2' -c 'qa!'" /dev/null

suite_end
