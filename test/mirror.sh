#!/bin/bash
# Prints the archive of Debian that apt uses here, in its own words; else
# Debian's. FF_MIRROR names another.
# shellcheck disable=SC2016 # apt-get expands it
line='$(ORIGIN) $(LABEL) $(REPO_URI)'
found=$(apt-get indextargets --format "$line" 'Created-By: Packages' \
	2>/dev/null | sed -n 's/^Debian Debian //p' | head -n 1)
echo "${FF_MIRROR:-${found:-http://deb.debian.org/debian}}"
