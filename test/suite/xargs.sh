#!/bin/bash
# xargs: several children at once, and their statuses become its own.
. "$(dirname "$0")/lib.sh"
needs xargs
suite_forks_by xargs
seq 1 200 | suite_file numbers
printf 'one\0two words\0three\n' | suite_file nul

want 'exited 0' '^200$'
compare "one at a time" -l xargs -i "$P/numbers" -- xargs -n 1 echo
compare "in batches" -l xargs -i "$P/numbers" -- xargs -n 7 echo batch
compare "-P4" -l xargs -i "$P/numbers" -- sh -c \
	'xargs -P4 -n 1 sh -c "echo \$0 >f\$0; echo \$0" | sort -n'
want 'exited 123'
compare "-P4 keeps status 123" -l xargs -i "$P/numbers" -- \
	xargs -P4 -n 1 sh -c 'test $0 != 77'
want 'exited 124' 'exited with status 255'
compare "255 stops it" -l xargs -i "$P/numbers" -- \
	xargs -n 1 sh -c 'echo $0; test $0 = 5 && exit 255; exit 0'
want 'exited 125' 'terminated by signal 15'
compare "a child killed" -l xargs -i "$P/numbers" -- \
	xargs -n 1 sh -c 'echo $0; test $0 = 5 && kill $$; exit 0'
want 'exited 127' 'No such file'
compare "not found" -i "$P/numbers" -- xargs -n 1 /nonexistent/program
want 'exited 126' 'Permission denied'
compare "not executable" -i "$P/numbers" -- xargs -n 1 /etc/passwd
compare "-0 and -I" -l xargs -i "$P/nul" -- xargs -0 -I{} echo '<{}>'
compare "what a child has open" -l xargs -i "$P/numbers" -- \
	xargs -n 50 -- "$LOOK" both
compare "standard input of the children" -l xargs -- sh -c \
	'xargs -a "$P/numbers" -n 100 sh -c "cat; echo" </etc/hostname | wc -l'

suite_end
