#!/bin/bash
# cmake: execute_process forks; its pipelines are several children at once.
# Where libuv forks for it, the child writes to a pipe before exec, so that a
# script with few children has none that is lazy.
. "$(dirname "$0")/lib.sh"
needs cmake pkill
suite_forks_by cmake
suite_may_spawn /usr/lib/x86_64-linux-gnu/libuv.so.1

suite_file process.cmake <<'X'
foreach(i RANGE 1 15)
	execute_process(COMMAND echo "command ${i}" OUTPUT_VARIABLE out
		RESULT_VARIABLE r)
	message("${r} ${out}")
	execute_process(COMMAND sh -c "echo out; echo err >&2; exit ${i}"
		OUTPUT_VARIABLE out ERROR_VARIABLE err RESULT_VARIABLE r)
	message("${r} ${out} ${err}")
	execute_process(COMMAND echo "pipeline ${i}" COMMAND cat
		COMMAND tr a-z A-Z OUTPUT_VARIABLE out RESULTS_VARIABLE r)
	message("${r} ${out}")
	execute_process(COMMAND sh -c "exit 1" COMMAND sh -c "exit 2"
		RESULTS_VARIABLE r)
	message("${r}")
	execute_process(COMMAND /nonexistent/program RESULT_VARIABLE r)
	message("${r}")
	execute_process(COMMAND pwd WORKING_DIRECTORY / OUTPUT_VARIABLE out)
	message("${out}")
endforeach()
execute_process(COMMAND sh -c "kill -9 $$" RESULT_VARIABLE r)
message("${r}")
execute_process(COMMAND cat INPUT_FILE /etc/hostname OUTPUT_FILE copied)
execute_process(COMMAND sh -c "echo quiet" OUTPUT_QUIET)
execute_process(COMMAND $ENV{LOOK} both)
X
want 'exited 0' 'PIPELINE 15'
compare "execute_process" -l cmake -- cmake -P "$P/process.cmake"
# In Debian 13 the child lives on, and is not waited for.
suite_file timeout.cmake <<'X'
execute_process(COMMAND sleep 60 TIMEOUT 0.05 RESULT_VARIABLE r)
message("${r}")
execute_process(COMMAND sh -c "pkill -9 -x -P $PPID sleep; exit 0")
X
want 'exited 0' 'timeout'
compare "a timeout" -o -- cmake -P "$P/timeout.cmake"
want 'exited 1' 'failed command indexes'
suite_file fatal.cmake <<'X'
execute_process(COMMAND false COMMAND_ERROR_IS_FATAL ANY)
X
compare "a fatal command" -- cmake -P "$P/fatal.cmake"
want 'exited 0' 'hello from -E'
compare "-E env, -E time" -l cmake \
	-f 's/[0-9.]+ s\./N s./g; s/(seconds\)): [0-9.]+/\1: N/' -- sh -c \
	'cmake -E env X=1 sh -c "echo hello from -E \$X"
	cmake -E time sh -c "exit 0"'

suite_end
