#!/bin/bash
# tmux: the server is forked by daemon(), windows by forkpty, run-shell by
# fork. Every run has its own socket and ends its own server.
. "$(dirname "$0")/lib.sh"
needs tmux
suite_forks_by tmux

suite_file session.sh <<'X'
# Driver: $FF_WITH starts the server preloaded.
t() { tmux -S "$TMPDIR/sock" -f /dev/null "$@"; }
trap 't kill-server 2>/dev/null' EXIT
trap 'exit 1' TERM
printf 'echo first window; echo ready >one; exec sleep 60\n' >window1
. "$P/await.sh"
shows() { t capture-pane -p -t "$1" | grep -q "$2"; }
echoes() { [ "$(t capture-pane -p -t "$1" | grep -c "$2")" = 2 ]; }
gone() { ! t list-windows -t s -F '#{window_name}' | grep -qx "$1"; }
$FF_WITH tmux -S "$TMPDIR/sock" -f /dev/null new-session -d -s s -n first \
	-x 80 -y 20 'sh window1'
await test -s one
await shows s:first 'first window'
t capture-pane -p -t s:first | head -n 1
for i in 1 2 3 4 5; do
	t run-shell "echo run-shell $i >ran$i; exit 0"; cat ran$i
	t run-shell "exit $i" >/dev/null 2>&1; echo "run-shell status $?"
	t if-shell "test $i -gt 3" "set-buffer -b b yes" "set-buffer -b b no"
	t show-buffer -b b
	t new-window -d -t s -n "w$i" "echo window $i; exec cat"
	await shows "s:w$i" "window $i"
	t send-keys -t "s:w$i" "typed $i" Enter
	await echoes "s:w$i" "typed $i"
	t capture-pane -p -t "s:w$i" | grep -v '^$'
	t send-keys -t "s:w$i" C-d
	await gone "w$i"
done
t split-window -d -t s:first 'echo split; exec sleep 60'
await shows s:first.1 split
t capture-pane -p -t s:first.1 | grep -v '^$'
t set-option -g default-command '' \; set-option -g default-shell /bin/sh
t new-window -d -t s -n shell
t send-keys -t s:shell 'echo $((6 * 7)) answers; tty >/dev/null && echo on a t""ty' Enter
await shows s:shell '42 answers'; await shows s:shell 'on a tty'
t pipe-pane -t s:shell 'cat >piped'
t send-keys -t s:shell 'echo pi""ped' Enter
await grep -q piped piped
t list-windows -t s -F '#{window_name} #{window_panes}'
pid=$(t display-message -p '#{pid}')
t run-shell "true"
tr ' ' '\n' <"/proc/$pid/task/$pid/children" | grep -c .
ls -l "/proc/$pid/fd" | grep -- '->' | grep -vc socket: # clients come and go
t kill-server
await test ! -e "/proc/$pid"
rm -f piped
t has-session 2>&1 | sed 's/(.*//;s/on .*//'
X
want 'exited 0' 'window 5'
compare "windows, run-shell, capture-pane" -d -o -l '*' -- sh "$P/session.sh"

suite_end
