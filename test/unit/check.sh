#!/bin/bash
# flatfork check finds a difference of each kind, says what it is, and finds
# none where there is none; what varies by itself is not held against flatfork.
# shellcheck disable=SC2016 # inner shells expand those
. "$(dirname "$0")/lib.sh"

mkdir "$work/here" "$work/tmp" && cd "$work/here" || exit 1
echo data >input
export TMPDIR=$work/tmp
ours='case ${LD_PRELOAD-} in *flatfork*)'

# different ASPECT TEXT COMMAND: that, and nothing else, is different
different() {
	expect 1 "$flatfork" check -- sh -c "$3"
	for way in lazy default off; do
		says out "DIFFERENT: $way: $1: $2"
	done
	[ "$(grep -c DIFFERENT "$work/out")" -eq 3 ] ||
		fail "more is different: $(cat "$work/out")"
	silent err
}

expect 0 "$flatfork" check sh -c '
	cat input; echo out; echo err >&2; (echo x >made; mkdir -p a/b)
	ln -s made link; /bin/true; exit 3'
says out 'the same in all ways'
grep -qE '^lazy +status 3 .* 5 files, 0 processes left, [1-9]' "$work/out" ||
	fail "no forks counted: $(cat "$work/out")"
silent err
[ "$(ls)" = input ] || fail "check ran in the current directory itself"

different output "line 2: 'ours' instead of 'end'" \
	"echo 1; $ours echo ours ;; esac; echo end"
different errors "line 1: 'ours' instead of ''" "$ours echo ours >&2 ;; esac"
different status "4 instead of 0" "$ours exit 4 ;; esac"
different status "signal 9 instead of 0" "$ours kill -9 \$\$ ;; esac"
different files "made: should not be there" "$ours : >made ;; esac"
different files "input: is missing" "$ours rm input ;; esac"
different files "input: 2 bytes instead of 5" "$ours echo 1 >input ;; esac"
different files "input: other content" "$ours echo DATA >input ;; esac"
different files "input: mode 100400 instead of" "$ours chmod 400 input ;; esac"
[ "$(id -u)" -ne 0 ] || different files "input: owner 12:0 instead of 0:0" \
	"$ours chown 12 input ;; esac"
# What can't be seen in a line, or is far on in it.
different output "line 2, byte 1: the end instead of 0x0a" \
	"printf 'a\n'; $ours ;; *) echo ;; esac"
different output "line 1, byte 3: 0x62 instead of 0x63" \
	"$ours printf 'a\0b\n' ;; *) printf 'a\0c\n' ;; esac"
different output "line 1, byte 71: 0x62 instead of 0x61" \
	"printf %70s ''; $ours echo b ;; *) echo a ;; esac"
different "processes left over" "1 (sleep) instead of 0 ()" \
	"$ours sleep 100 >/dev/null 2>&1 & ;; esac"

different "processes left over" "1 (sleep) instead of 1 (cat)" \
	"mkfifo x; $ours sleep 100 >/dev/null 2>&1 & ;; *) cat <>x & ;; esac >/dev/null 2>&1"
different files "made: other content" "$ours ln -s b made ;; *) ln -s a made ;; esac"
different output "line 2: '' instead of 'more'" "echo 1; $ours ;; *) echo more ;; esac"

# A process left in all ways is the same, and does not stay.
# Whether one is there is asked by a name that no other run of this test has.
expect 0 "$flatfork" check sh -c 'mkfifo x
	sleep "$0" >/dev/null 2>&1 & cat <>x >/dev/null 2>&1 & exit 0' "4711.$$"
says out '2 processes left'
pgrep -f "^sleep 4711[.]$$\$" && fail "processes were left behind"

# One that has not come to its exec yet is not known by the name that it has
# before, however long that takes.
expect 0 "$flatfork" check --empty bash -c '(
	case ${LD_PRELOAD-} in *flatfork*) ;; *)
		end=$((SECONDS + 3)); while ((SECONDS < end)); do :; done ;; esac
	exec sleep 100) >/dev/null 2>&1 & exit 0'
says out '1 processes left'

# What varies is not compared; the rest is.
expect 2 "$flatfork" check sh -c 'echo $$'
says out 'not compared: output: plain, it differs each time'
expect 1 "$flatfork" check sh -c "echo \$\$; $ours exit 1 ;; esac"

expect 0 "$flatfork" check --empty ls
grep -q '^plain .* 0 files' "$work/out" || fail "--empty: $(cat "$work/out")"
expect 0 "$flatfork" check --keep true
kept=$(sed -n 's/^kept: //p' "$work/out")
[ -e "$kept/lazy.work/input" ] || fail "--keep: nothing is kept"
rm -rf "$kept"
rmdir "$work/tmp" || fail "files were left behind: $(ls "$work/tmp")"
mkdir "$work/tmp"

# Signals for its process group are not for us; those for us end all of it.
expect 1 "$flatfork" check --empty sh -c "$ours kill 0 ;; esac; echo end"
says out 'DIFFERENT: lazy: status: signal 15 instead of 0'
expect 143 end_when_begun "$flatfork" check --empty \
	sh -c 'echo $$ >"$0"; sleep "$1"' "$work/began" "4712.$$"
pgrep -f "^sleep 4712[.]$$\$" && fail "the command goes on"
rmdir "$work/tmp" || fail "files were left behind: $(ls "$work/tmp")"
mkdir "$work/tmp"

# A common user's, and folders that he has closed to himself: what is in them is
# looked at, and removed.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$work" && chmod 777 "$work/tmp" || exit 1
	mkdir "$work/his" && cp "$flatfork" "$object" "$work/his" || exit 1
	for mode in 000 400 500; do
		expect 1 setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$work/his/flatfork" check --empty sh -c "mkdir -p d/e
			$ours echo x >d/e/made ;; esac; chmod $mode d/e d . "
		says out 'DIFFERENT: lazy: files: d/e/made: should not be there'
	done
	expect 1 setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$work/his/flatfork" check --empty sh -c \
		"$ours echo a >made ;; *) echo b >made ;; esac; chmod 0 made"
	says out 'DIFFERENT: lazy: files: made: other content'
	rmdir "$work/tmp" || fail "files were left behind: $(ls "$work/tmp")"
	mkdir "$work/tmp"
fi

expect 127 "$flatfork" check none-of-that-name
says err "'none-of-that-name': No such file or directory"
expect 126 "$flatfork" check ./input
expect 125 "$flatfork" check
expect 125 "$flatfork" check --fast true
says err "'--fast': no such option"
expect 0 "$flatfork" check --empty -- sh -c 'test "$1" = --keep' sh --keep
truncate -s 300M big
expect 125 "$flatfork" check true
says err 'more than 256 MiB'
mkdir gone
expect 125 sh -c 'cd gone && rmdir ../gone && exec "$0" check true' "$flatfork"
says err 'the current directory: No such file or directory'
expect 125 env TMPDIR=/nonexistent "$flatfork" check --empty true
says err '/nonexistent: No such file or directory'
# However the folder for its files is written; and what can't be run in each way
# is not compared.
expect 0 env -C "$work" TMPDIR=tmp "$flatfork" check --empty sh -c '(:); exit 3'
grep -qE '^lazy +status 3 .* 1 children' "$work/out" ||
	fail "a relative TMPDIR: $(cat "$work/out")"
# shellcheck disable=SC2016 # a folder's name
for folder in "$work/a b" "$work/a:b" "$work/a"'$LIB'; do
	mkdir "$folder" && cp "$flatfork" "$object" "$folder" || exit 1
	for verb in check trace run; do
		expect 125 "$folder/flatfork" $verb echo ran
		says err "LD_PRELOAD can't hold a path with a "
		silent out
	done
done

finish
