#!/usr/bin/env bash
# FLATFORK_INHERIT=off: LD_PRELOAD is as if we had not been in it, and as it was
# where we are not; so the program finds it, and what it starts.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/ground/lib.sh
. "$here/lib.sh"

other=$work/libother.so
ln -s "$object" "$other" || exit 1

# is VALUE THEN [COMMAND...]: what the command tells of it; "-": it is not set
is() {
	local value=$1 then=$2 now
	shift 2

	now=$(env -i "LD_PRELOAD=$value" FLATFORK_INHERIT=off PATH="$PATH" \
		"${@:-env}" 2>/dev/null | sed -n 's/^LD_PRELOAD=//p;$a-' |
		head -n 1)
	[ "$now" = "$then" ] || failed "'$value' is '$now', not '$then': ${*:-env}"
}

a=/nowhere/a.so b=/nowhere/b.so
for command in env "sh -c env;true" "env env"; do
	# shellcheck disable=SC2086
	for gone in "$object" "$object:" ":$object" "$object $object"; do
		is "$gone" - $command
	done
	is "$object:$a" "$a" $command
	is "$a $object" "$a" $command
	is "$a:$object:$b" "$a:$b" $command
	is "$a $object $b:$object" "$a $b" $command
	# Other separators are as they were.
	is "$a: $object:$b $a" "$a: $b $a" $command
	is "$other" "$other" $command
	is "$other $a:$b" "$other $a:$b" $command
done

# Nothing of it is left for those who read all of what the kernel shows.
for value in "$object" "$a:$object" "$object:$a"; do
	env -i "LD_PRELOAD=$value" FLATFORK_INHERIT=off \
		cat /proc/self/environ 2>/dev/null >"$work/environ"
	! grep -q flatfork-preload "$work/environ" ||
		failed "'$value' can be seen in /proc/PID/environ"
done

# An object that is linked is not there to be taken out.
printf '%s\n' '#include <stdio.h>' '#include <stdlib.h>' \
	'int main(void) { char *p = getenv("LD_PRELOAD");' \
	'printf("LD_PRELOAD=%s\n", p ? p : "-"); return 0; }' >"$work/linked.c"
cc -o "$work/linked" "$work/linked.c" -Wl,--no-as-needed "$object" \
	"-Wl,-rpath,${object%/*}" || exit 1
is '' '' "$work/linked"
is "$a:" "$a:" "$work/linked"

# Behind a chroot into a tree without the object, nobody is told of it; into one
# with it, it goes on.
cat >"$work/jailed.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* jailed ROOT fork|not: itself again in there, which tells what it finds */
int main(int argc, char **argv)
{
	char *list = getenv("LD_PRELOAD");
	int status = 0;
	if (argc < 3)
		return printf("%s\n", list ? list : "-") < 0;
	if (!strcmp(argv[2], "fork")) {
		char *memory = malloc(64 << 20);
		memset(memory, 1, 64 << 20);
		if (fork())
			return wait(&status) < 0 || status;
	}
	if (chroot(argv[1]) || chdir("/"))
		return 77;
	execl("/jailed", "jailed", (char *)0);
	return 1;
}
END
cc -o "$work/jailed" "$work/jailed.c" || exit 1
jail=$work/jail
mkdir "$jail"
cp "$work/jailed" "$jail"
while read -r file; do
	mkdir -p "$jail/${file%/*}"
	cp "$file" "$jail/$file"
done < <(ldd "$work/jailed" | grep -oE '/[^ ]+')
# jailed HOW VALUE THEN
jailed() {
	env -i "LD_PRELOAD=$2" "$work/jailed" "$jail" "$1" >"$work/out" \
		2>"$work/err"
	local status=$?
	[ "$status" -ne 77 ] || return 0
	[ "$status" -eq 0 ] && [ "$(cat "$work/out")" = "$3" ] ||
		failed "jailed, $1, '$2': $status, $(cat "$work/out")"
	grep -F "$object" "$work/err" && failed "jailed, $1, '$2': it is missed"
}
for how in not fork; do
	jailed $how "$object" -
	jailed $how "$object:$a" "$a"
done
mkdir -p "$jail/${object%/*}"
cp "$object" "$jail/$object"
for how in not fork; do
	jailed $how "$object" "$object"
done

verdict
