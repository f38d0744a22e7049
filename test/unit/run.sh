#!/bin/bash
# flatfork run: exit codes, variables, LD_PRELOAD; and the command's help.
# shellcheck disable=SC2016 # inner shells expand those
. "$(dirname "$0")/lib.sh"

# The command's status is handed down.
expect 0 "$flatfork" run -- true
silent out
silent err
expect 1 "$flatfork" run false
expect 7 "$flatfork" run -- sh -c 'exit 7'
expect 125 "$flatfork" run -- sh -c 'exit 125'
silent err
expect 137 "$flatfork" run -- sh -c 'kill -KILL $$' 2>/dev/null

# It is the same process, with the arguments as they were.
expect 0 "$flatfork" run -- printf '<%s>' 'a b' '' --log -- '*'
says out '<a b><><--log><--><*>'
expect 0 sh -c 'echo $$; exec "$0" run -- sh -c "echo \$\$"' "$flatfork"
[ "$(sort -u "$work/out" | wc -l)" -eq 1 ] || fail "the process is another"

# 126, 127: as env(1) has them.
for command in "$work/none" none-of-that-name "$work/plain/below" \
	"$work" "$work/plain" "$work/lost"; do
	echo data >"$work/plain"
	printf '#!/nonexistent/interpreter\n' >"$work/lost"
	chmod +x "$work/lost"
	env -- "$command" 2>/dev/null
	expect $? "$flatfork" run -- "$command"
	says err "flatfork run: '$command': "
done
expect 127 "$flatfork" run -- none-of-that-name
says err 'No such file or directory'
expect 126 "$flatfork" run -- "$work/plain"
says err 'Permission denied'

# 125: our own errors, each naming the thing.
expect 125 "$flatfork" run
says err 'flatfork run: which command?'
expect 125 "$flatfork" run --
expect 125 "$flatfork" run --fork
says err '--fork wants a value: auto|lazy|real|lent'
expect 125 "$flatfork" run --fork sometimes -- true
says err "--fork: 'sometimes' is not one of auto|lazy|real|lent"
expect 125 "$flatfork" run --fork= -- true
expect 125 "$flatfork" run --min-rss=12Q true
says err "--min-rss: '12Q' is not a size: 64M, 2G"
expect 125 "$flatfork" run --budget-ms 0 true
says err "--budget-ms: '0'"
expect 125 "$flatfork" run --log '' true
expect 125 "$flatfork" run --forks lazy true
says err "'--forks': no such option; --fork is meant?"
expect 125 "$flatfork" run -x true
says err "'-x': no such option"
expect 125 "$flatfork"
expect 125 "$flatfork" walk
says err "'walk': no such command; see flatfork --help"
for wrong in rnu statsu doktor hlep; do
	expect 125 "$flatfork" $wrong
	says err ' is meant?'
done
expect 125 "$flatfork" help rnu
says err "'rnu': no such command; run is meant?"
expect 125 "$flatfork" doctor now
says err "'now': no argument is taken"

expect 125 "$flatfork" version
says err "'version': no such command; --version is meant?"

# Flags of all the others: one parser, and one way to write them.
for verb in doctor trace top report bench enable disable status check; do
	expect 125 "$flatfork" $verb --nonsense
	says err "flatfork $verb: '--nonsense': no such option; see flatfork help $verb"
	expect 0 "$flatfork" $verb --help
	says out "Usage: flatfork $verb"
done
expect 125 "$flatfork" top --second=2
says err "'--second': no such option; --seconds is meant?"
# An abbreviation is none, wherever there is one flag that begins so.
expect 125 "$flatfork" doctor --js
says err "flatfork doctor: '--js': no such option; --json is meant?"
expect 125 "$flatfork" top --s=2
says err "'--s': no such option; --seconds is meant?"
expect 125 "$flatfork" report --ht=yes "$work/plain"
says err "'--ht': no such option; --html is meant?"
expect 125 "$flatfork" enable --sys
says err "'--sys': no such option; --system is meant?"
expect 125 "$flatfork" run --min=1M true
says err "'--min': no such option; --min-rss is meant?"
expect 125 "$flatfork" run --hel true
says err "'--hel': no such option; --help is meant?"
expect 125 "$flatfork" doctor -json
says err "'-json': no such option; --json is meant?"
for word in -hx --=1 -5; do
	expect 125 "$flatfork" report $word "$work/plain"
	says err "'${word%=*}': no such option"
done
expect 125 "$flatfork" report --help=yes
says err '--help takes no value'
expect 125 "$flatfork" bench --size
says err '--size wants a value: SIZE,...'
expect 125 "$flatfork" bench --size=
expect 125 "$flatfork" report --html=yes "$work/plain"
says err '--html takes no value'
expect 0 "$flatfork" report "$work/plain" --html
says out '<!DOCTYPE html>'
expect 0 env POSIXLY_CORRECT=1 "$flatfork" report "$work/plain" --html
says out '<!DOCTYPE html>'
expect 0 "$flatfork" run --fork lazy --help -- "$work/none"
says out 'Usage: flatfork run'
expect 127 "$flatfork" run -- -
expect 0 "$flatfork" top --times=1 --help
says out 'Usage: flatfork top'
expect 125 "$flatfork" report -- --html
says err '--html: No such file or directory'
expect 125 "$flatfork" report "$work"
says err "$work: Is a directory"
expect 125 "$flatfork" doctor --pid 4194305
says err 'flatfork doctor: process 4194305: there is none'
expect 125 "$flatfork" doctor --pid 1 --json

# Flags become variables; what is not said stays as it is.
show='env | grep ^FLATFORK | sort'
expect 0 "$flatfork" run -- sh -c "$show"
silent out
expect 0 env FLATFORK_FORK=real FLATFORK_BUDGET_MS=5 \
	"$flatfork" run --fork=lazy --min-rss 512K -- sh -c "$show"
[ "$(cat "$work/out")" = "FLATFORK_BUDGET_MS=5
FLATFORK_FORK=lazy
FLATFORK_MIN_RSS=512K" ] || fail "variables: $(cat "$work/out")"
expect 0 "$flatfork" run --log stderr --budget-ms 20 sh -c \
	'echo "$FLATFORK_LOG $FLATFORK_BUDGET_MS"'
says out 'stderr 20'

# By name of the program: its file's, or for a script its interpreter's, too.
is_on() {
	: >"$work/stats"
	expect 0 "$flatfork" run --fork lazy --stats "$work/stats" "$@"
	[ -s "$work/stats" ]
}
cp "$(type -P true)" "$work/true-copy"
printf '#!%s\n' "$work/true-copy" >"$work/script.x"
chmod +x "$work/script.x"
for only in true-copy 'a,tru*py' script.x; do
	is_on --only "$only" "$work/script.x" || fail "--only $only: not on"
	is_on --skip "$only" "$work/script.x" && fail "--skip $only: on"
done
is_on --only false "$work/script.x" && fail "--only false: on"
is_on --skip false "$work/script.x" || fail "--skip false: not on"
expect 125 "$flatfork" run --only "$work/script.x" true
says err "is not names of programs: perl,python3*"

# A configuration file that is named is looked at before anything runs.
echo 'fork = lasy' >"$work/conf"
expect 125 "$flatfork" run --config "$work/conf" -- echo ran
silent out
says err "--config: $work/conf:1: fork: 'lasy' is not one of auto|lazy|real|lent"
expect 125 "$flatfork" run --config "$work/none" -- echo ran
says err "--config: $work/none: there is no such file"
echo 'fork = lazy' >"$work/conf"
expect 0 "$flatfork" run --config "$work/conf" -- \
	sh -c 'echo "$FLATFORK_CONFIG"'
says out "$work/conf"
silent err

# Paths hold wherever the command's processes go.
(
	cd "$work" || exit 1
	expect 0 "$flatfork" run --log log --stats "$work/stats" -- sh -c \
		'cd /; echo "$FLATFORK_LOG $FLATFORK_STATS"'
	says out "$work/log $work/stats"
	exit "$failures"
) || fail "relative paths (see above)"

# The interposer goes before what is preloaded already, and only once.
preload() {
	expect 0 "$@" sh -c 'echo "$LD_PRELOAD"'
}
other=$work/other.so
cp "$object" "$other"
preload "$flatfork" run
[ "$(cat "$work/out")" = "$object" ] || fail "alone: $(cat "$work/out")"
preload env LD_PRELOAD="$other" "$flatfork" run
[ "$(cat "$work/out")" = "$object:$other" ] ||
	fail "before another: $(cat "$work/out")"
silent err
preload env LD_PRELOAD= "$flatfork" run
[ "$(cat "$work/out")" = "$object" ] || fail "empty: $(cat "$work/out")"
preload env LD_PRELOAD="$other" "$flatfork" run "$flatfork" run
[ "$(cat "$work/out")" = "$object:$other" ] ||
	fail "a run within a run: $(cat "$work/out")"

# It stays in the program, and others travel on as they are.
expect 0 "$flatfork" run --inherit off -- sh -c 'echo "<${LD_PRELOAD-none}>"'
says out '<none>'
for list in "$other" " $other :" "x:$other" "$other:$object:$other"; do
	expect 0 env LD_PRELOAD="$list" "$flatfork" run --inherit=off -- \
		sh -c 'echo "$LD_PRELOAD"' 2>/dev/null
	[ "$(cat "$work/out")" = "${list/"$object":/}" ] ||
		fail "inherit off, '$list': $(cat "$work/out")"
done
expect 0 env FLATFORK=off "$flatfork" run --inherit off -- \
	sh -c 'echo "$LD_PRELOAD"'
says out "$object"

# Where LD_PRELOAD can't name it, nothing runs.
mkdir "$work/a b" "$work/alone"
cp "$flatfork" "$object" "$work/a b"
expect 125 "$work/a b/flatfork" run -- echo ran
says err "LD_PRELOAD can't hold a path with a space"
silent out
cp "$flatfork" "$work/alone"
expect 125 "$work/alone/flatfork" run -- echo ran
says err 'libflatfork-preload.so: neither in'
says err "$work/alone"
silent out

# A place where nothing can be written is an error before anything runs.
ln -s "$work/elsewhere" "$work/link"
for place in "$work/none/log" "$work" "$work/link"; do
	expect 125 "$flatfork" run --log "$place" -- echo ran
	says err "--log: '$place' can't be written: "
	silent out
done
[ ! -e "$work/elsewhere" ] || fail "a link was followed"
expect 125 "$flatfork" run --stats "$work/none/stats" -- echo ran
expect 0 "$flatfork" run --log stderr true

# Help and version, of all and of each.
expect 0 "$flatfork" --help
for word in FLATFORK=off FLATFORK_FORK= FLATFORK_MIN_RSS= FLATFORK_BUDGET_MS= \
	FLATFORK_LOG= FLATFORK_STATS= --fork --min-rss --budget-ms --log \
	--stats 'auto|lazy|real|lent'; do
	says out "$word"
done
awk 'length > 80' "$work/out" | grep . && fail "help is wider than 80 columns"
sed -nE 's/^([a-z]+) .*/\1/p' "$work/out" >"$work/verbs"
while read -r verb; do
	expect 0 "$flatfork" help "$verb"
	says out "Usage: flatfork $verb"
	cp "$work/out" "$work/helped"
	expect 0 "$flatfork" "$verb" --help
	[ "$verb" = help ] || cmp "$work/out" "$work/helped" ||
		fail "help $verb and $verb --help differ"
	awk 'length > 80' "$work/out" | grep . && fail "help $verb is too wide"
done <"$work/verbs"
expect 0 "$flatfork" --version
grep -qE '^flatfork [0-9]+\.[0-9]+\.[0-9]+$' "$work/out" ||
	fail "version: $(cat "$work/out")"
[ ! -e /dev/full ] || expect 125 sh -c '"$0" --help >/dev/full' "$flatfork"

finish
