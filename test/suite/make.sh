#!/bin/bash
# make: posix_spawn since 4.3, so nothing to be lazy in make itself; its
# recipes run under the preload all the same.
. "$(dirname "$0")/lib.sh"
needs make
suite_forks_by make

suite_file Makefile <<'X'
names := a b c d e f g h
shell := $(shell echo from the shell function)
lost := $(shell exit 3)
all: $(addsuffix .out,$(names)) sub
	@echo '$(shell)' '$(.SHELLSTATUS)'
	@cat *.out | sort
	-@sh -c 'exit 4'
	-@/nonexistent/program
	@sh -c 'echo pipes | tr a-z A-Z'
%.out:
	@echo $* | tr a-z A-Z >$@
sub:
	@$(MAKE) --no-print-directory -f $(P)/Makefile inner
inner:
	@echo inner $(MAKELEVEL)
fails: ; @echo failing; exit 5
.ONESHELL:
one:
	@x=1
	echo one shell $$x
X
want 'exited 0' 'PIPES'
compare "recipes" -l make -- make -f "$P/Makefile" all one
compare "-j4" -l make -- make -j4 --output-sync -f "$P/Makefile"
want 'exited 2' 'Error 5'
compare "a recipe that fails" -l make -- make -f "$P/Makefile" fails
want 'exited 0' 'one shell 1'
compare "bash as SHELL" -- make -j2 -f "$P/Makefile" \
	SHELL=/bin/bash one

suite_end
