#!/bin/bash
# sort: --compress-program forks one compressor per temporary file and one
# decompressor per file merged, retrying when fork fails.
. "$(dirname "$0")/lib.sh"
needs sort gzip
suite_forks_by sort
seq 1 400000 | awk '{ print ($1 * 7919) % 400009, "line" $1 }' |
	suite_file lines

want 'exited 0' ' '
compare "--compress-program=gzip" -l sort -- sh -c \
	'sort -n -S 1M --compress-program=gzip "$P/lines" | sha256sum; ls "$TMPDIR"'
compare "--parallel=4, output to a file" -l sort -- sh -c \
	'sort --parallel=4 -S 4M --compress-program=gzip -o sorted "$P/lines"
	echo $?; tail -n 1 sorted; ls "$TMPDIR"'
want 'exited 0' '(execute|run) compress program'
compare "a compressor that is not there" -f 's/[^ ]*sort[A-Za-z0-9]{6}/TEMP/' -- sh -c \
	'sort -S 2M --compress-program=/nonexistent/gzip "$P/lines" | sha256sum'
printf '#!/bin/sh\ncat >/dev/null\nexit 3\n' | suite_file failing
want 'exited 2' 'terminated abnormally'
compare "a compressor that fails" -l sort -f 's/sort[A-Za-z0-9]{6}/TEMP/g' \
	-o -- sort -S 2M --compress-program="$P/failing" -o sorted "$P/lines"

suite_end
