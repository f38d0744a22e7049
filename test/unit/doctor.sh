#!/bin/bash
# flatfork doctor: every fact has a line; the verdict is the exit status and
# comes with a reason.
. "$(dirname "$0")/lib.sh"

facts='kernel|syscall user dispatch|/proc|/proc/self/mem|seccomp|tracer'
facts="$facts|overcommit policy|configuration|lazy fork"

# has_facts: one line for each
has_facts() {
	local n
	n=$(grep -cE "^($facts) +[^ ]" "$work/out")
	[ "$n" -eq 9 ] && return
	fail "doctor tells $n of 9 facts:"
	sed 's/^/	/' "$work/out"
}

# A tracer is seen, named, and in the way.
if strace -o /dev/null true 2>/dev/null; then
	expect 1 strace -f -o /dev/null "$flatfork" doctor
	has_facts
	grep -qE '^tracer +process [0-9]+: ' "$work/out" || fail "no tracer line"
	grep -qE '^lazy fork +no: the fork was right' "$work/out" ||
		fail "traced: no verdict: $(cat "$work/out")"
	grep -q '^  flatfork\[[0-9]*\]: ' "$work/out" ||
		fail "traced: no reason: $(cat "$work/out")"
fi

# Without the interposer there is no proof.
cp "$flatfork" "$work"
expect 1 "$work/flatfork" doctor
grep -qE '^lazy fork +no: the proof could not be started' "$work/out" ||
	fail "alone: no verdict: $(cat "$work/out")"
says err 'flatfork doctor: libflatfork-preload.so: neither in'

expect 1 env TMPDIR=/nonexistent "$flatfork" doctor
says out '/nonexistent: '

# Configuration files, and each mistake in them.
mkdir -p "$work/home/.config"
conf=$work/home/.config/flatfork.conf
printf '[a]\nfork = lasy\n[b]\nmin-rss = 12Q\n' >"$conf"
HOME=$work/home "$flatfork" doctor >"$work/out" 2>&1
says out "$conf"
says out "  $conf:2: fork: 'lasy' is not one of auto|lazy|real|lent"
says out "  $conf:4: min-rss: '12Q' is not a size: 64M, 2G"
FLATFORK_CONFIG=$work/none "$flatfork" doctor >"$work/out" 2>&1
says out "  $work/none: there is no such file"
echo 'flatfork = off' >"$conf"
HOME=$work/home "$flatfork" doctor >"$work/out" 2>&1
grep -q "^configuration  *$conf\$" "$work/out" || fail "no file: $(cat "$work/out")"
grep -qE '^lazy fork +no: .*real one' "$work/out" &&
	fail "the user's file counts in the proof"

# A name is one word in one line, whatever is in it.
FLATFORK_CONFIG=$'/none/a\nb  c\033.conf' "$flatfork" doctor >"$work/out" 2>&1
grep -q '^configuration  */none/a?b  c?.conf$' "$work/out" ||
	fail "a name of lines: $(cat "$work/out")"

# Nothing stays behind, whatever the user's settings are.
mkdir "$work/tmp"
TMPDIR=$work/tmp FLATFORK=off FLATFORK_FORK=real FLATFORK_LOG=$work/mine \
	"$flatfork" doctor >"$work/out" 2>"$work/err"
status=$?
has_facts
silent err
rmdir "$work/tmp" || fail "doctor left files behind"
[ ! -e "$work/mine" ] || fail "doctor used the user's log"

# The same as an object.
"$flatfork" doctor >"$work/text" 2>&1
"$flatfork" doctor --json >"$work/json" 2>"$work/err"
json=$?
[ "$json" -eq "$status" ] || fail "--json: status $json, not $status"
if command -v perl >/dev/null && perl -MJSON::PP -e 1 2>/dev/null; then
	perl -MJSON::PP -0777 -ne '
		my $d = decode_json($_);
		printf("%-22s %s\n", $_, $d->{facts}{$_})
			for sort keys %{$d->{facts}};
		die if ref $d->{notes} ne "ARRAY" || !defined $d->{works};
	' "$work/json" >"$work/facts" || fail "--json: $(cat "$work/json")"
	grep -v '^ ' "$work/text" | sort | diff -u - <(sort "$work/facts") ||
		fail "--json has other facts"
fi
mkdir -p "$work/home/.config"
printf 'log = "\t\303\244\n' >"$work/home/.config/flatfork.conf"
HOME=$work/home "$flatfork" doctor --json >"$work/out" 2>&1
says out "1: log: '\\\"???' is not"
cp "$work/text" "$work/out"
[ "$failures" -eq 0 ] || finish

grep -qE '^syscall user dispatch +yes' "$work/out" ||
	skip "this machine has no syscall user dispatch"
grep -qE '^seccomp +not' "$work/out" || skip "seccomp is in force here"
grep -qE '^tracer +none' "$work/out" || skip "there is a tracer"
[ "$status" -eq 0 ] || fail "status $status: $(cat "$work/out")"
grep -qE '^lazy fork +works$' "$work/out" || fail "no verdict"

finish
