#!/bin/bash
# The README's two commands where they can't do what they are for: what they say
# then, and that nothing is left out for less. Nothing is installed here, and no
# right is used: who asks, what is there and sudo are stubs.
# shellcheck disable=SC2016 # the stubs' own
. "$(dirname "$0")/lib.sh"

bin=$work/bin
mkdir "$bin"
for tool in awk bash cat dirname env grep mkdir mktemp realpath rm sed sort; do
	ln -s "$(command -v $tool)" "$bin/$tool" || skip "no $tool"
done
# stub NAME TEXT
stub() {
	printf '#!/bin/bash\n%s\n' "$2" >"$bin/$1"
	chmod 755 "$bin/$1"
}
stub id '[ "$1" = -u ] && echo 1000 || echo ada'
stub dpkg-query 'exit 1'
commands=("$root/examples/quickstart.sh" "$root/test/run.sh")

# says_all STATUS TEXT
says_all() {
	local command
	for command in "${commands[@]}"; do
		: >"$work/asked"
		expect "$1" env PATH="$bin" FF_BUILD="$build" \
			FLATFORK_QUICKSTART_MIB=1 "$command"
		says err "$2"
	done
}

build=/proc/build
says_all 1 "/proc/build can't be written; FF_BUILD=FOLDER names another"
for build in "$work/a build" "$work/a:build"; do
	says_all 1 "LD_PRELOAD can't hold a path with a space or a colon"
	[ ! -e "$build" ] || fail "$build was made"
done
build=$work/build
says_all 1 'needs root or sudo to install: '
says err cmake
# None at all, or not for this.
for refused in -v -l; do
	stub sudo "echo \"\$*\" >>'$work/asked'; [ \"\$1\" != $refused ]"
	says_all 1 'sudo refuses ada, to install: '
	says err cmake
	grep -qv '^-' "$work/asked" && fail "asked in vain: $(cat "$work/asked")"
done

# Old lists do; what can't be installed does not.
stub sudo "echo \"\$*\" >>'$work/asked'; [[ \"\$*\" != *apt-get* ]]"
says_all 1 'apt-get update failed'
says err 'install'
grep -q 'apt-get .*install .*cmake' "$work/asked" || fail "$(cat "$work/asked")"

finish
