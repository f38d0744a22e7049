#!/bin/bash
# CPython: os.fork serves exec and worker pools alike; subprocess forks when
# it has a preexec_fn or changes user; pty forks through forkpty; ctypes calls
# fork by its name.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
needs "$python"
suite_forks_by "$python"
suite_env=(PYTHONHASHSEED=1 PYTHONDONTWRITEBYTECODE=1)
comm=$(basename "$python")

suite_file ballast.py <<'X'
"""64 MiB and many objects that have to be intact at the end."""
import os, sys
chunks = [bytes([65 + i % 26]) * (1 << 20) for i in range(64)]
table = {str(i): [i, "value %d" % i] for i in range(50000)}
def check():
    for i, c in enumerate(chunks):
        assert c == bytes([65 + i % 26]) * (1 << 20), i
    for i in range(50000):
        assert table[str(i)] == [i, "value %d" % i], i
    fds = []
    for n in range(256):
        try:
            os.fstat(n)
        except OSError:
            continue
        fds.append(n)
    tid = os.getpid()
    kids = open("/proc/%d/task/%d/children" % (tid, tid)).read().split()
    print("ballast intact, descriptors", fds, "children", len(kids))
def spoil():
    for i in range(64):
        chunks[i] = b"spoilt"
    table.clear()
def say(*a):
    print(*a, flush=True)
X

suite_file forkexec.py <<'X'
import os, subprocess as sp; from ballast import *
for i in range(20):
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        spoil()
        os.execv("/bin/sh", ["sh", "-c", "echo child %d; exit %d" % (i, i)])
    p, st = os.waitpid(pid, 0)
    say(p == pid, os.waitstatus_to_exitcode(st))
for i in range(5):
    pid = os.fork()
    if not pid:
        try:
            os.execv("/nonexistent/program", ["x"])
        except OSError as e:
            os.write(1, ("failed: %s\n" % e.strerror).encode())
            os._exit(70 + i)
    say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
r, w = os.pipe()
pid = os.fork()
if not pid:
    os.dup2(w, 1); os.execve("/usr/bin/env", ["env"], {"GIVEN": table["7"][1]})
os.close(w); say(os.read(r, 100)); os.close(r); os.waitpid(pid, 0)
pid = os.fork()
if not pid:
    os.setsid(); os.umask(0o77); os.chdir("/")
    os.execvp("sh", ["sh", "-c", "umask; pwd"])
os.waitpid(pid, 0)
pid = os.fork()
if not pid:
    os.execv(os.environ["LOOK"], ["look"])
os.waitpid(pid, 0)
os.spawnv(os.P_WAIT, "/bin/echo", ["echo", "spawnv"])
say(os.spawnv(os.P_WAIT, "/nonexistent", ["x"]))
say(os.system("exit 3"), sp.getoutput("echo popen"))
with os.popen("echo popen; exit 2") as p:
    say(p.read())
check()
X
want 'exited 0' 'ballast intact'
compare "os.fork and execv" -l "$comm" -- "$python" "$P/forkexec.py"

suite_file preexec.py <<'X'
import os, signal, subprocess as sp; from ballast import *
marks = []
def pre(n):
    marks.append(n); spoil(); os.umask(n); os.setsid()
for i in range(15):
    say(sp.run(["sh", "-c", "umask; exit %d" % i], capture_output=True,
        preexec_fn=lambda: pre(i)))
say("marks", marks)
def bad():
    raise ValueError("in the child")
for i in range(3):
    try:
        sp.run(["true"], preexec_fn=bad)
    except sp.SubprocessError as e:
        say(type(e).__name__, e)
    try:
        sp.run(["/nonexistent/program"], preexec_fn=os.setsid)
    except OSError as e:
        say(type(e).__name__, e)
say(sp.run(["cat"], input=chunks[3], capture_output=True,
    preexec_fn=os.setpgrp).stdout == chunks[3])
say(sp.run([os.environ["LOOK"]], preexec_fn=os.setsid,
    capture_output=True, text=True).stdout)
r, w = os.pipe()
say(sp.run(["sh", "-c", "echo kept >&%d" % w], pass_fds=[w],
    preexec_fn=os.setsid).returncode, os.read(r, 10))
os.close(r); os.close(w)
p = sp.Popen(["sleep", "60"], preexec_fn=lambda:
    signal.signal(signal.SIGTERM, signal.SIG_IGN), start_new_session=True)
p.send_signal(15); p.kill(); say(p.wait())
say(sp.run("echo shell $((6*7))", shell=True, cwd="/",
    preexec_fn=os.setsid, capture_output=True))
say(sp.run(["env"], env={"GIVEN": "1"}, preexec_fn=os.setsid,
    capture_output=True))
say(sp.run(["sh", "-c", "exit 4"]).returncode, sp.getoutput("echo vforked"))
check()
X
want 'exited 0' 'Exception occurred in preexec_fn'
compare "subprocess with preexec_fn" -l "$comm" -- "$python" "$P/preexec.py"

suite_file user.py <<'X'
import os, subprocess as sp; from ballast import *
def dumpable():
    import ctypes
    return ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
before = dumpable()
for i in range(10):
    say(sp.run(["id", "-u"], user="nobody", capture_output=True))
    say(sp.run(["id", "-g"], group=65534, extra_groups=[], capture_output=True))
say(sp.run(["sh", "-c", "id -un; id -G; umask"], user=65534, group=65534,
    extra_groups=[33], umask=0o27, capture_output=True, text=True).stdout)
try:
    sp.run(["/nonexistent/x"], user="nobody")
except OSError as e:
    say(type(e).__name__, e)
say("dumpable kept", before == dumpable(), os.geteuid())
check()
X
if [ "$(id -u)" = 0 ]; then
	suite_other_user
	want 'exited 0' 'dumpable kept True'
	compare "subprocess with user=" -l "$comm" -- "$python" "$P/user.py"
fi

suite_file ptys.py <<'X'
import os, pty, sys; from ballast import *
for i in range(8):
    got = []
    def read(fd):
        b = os.read(fd, 1024); got.append(b); return b
    st = pty.spawn(["sh", "-c", "tty >/dev/null && echo on a tty %d; exit %d"
        % (i, i)], read)
    say(b"".join(got), os.waitstatus_to_exitcode(st))
pid, fd = pty.fork()
if not pid:
    spoil(); os.execv("/bin/sh", ["sh", "-c", "stty -echo; echo ready; read x; echo \"got $x\"; ps -o tpgid= -p $$ | grep -c ."])
ready = b""
while b"ready" not in ready:
    ready += os.read(fd, 100)
os.write(fd, b"typed\n")
out = b""
try:
    while True:
        b = os.read(fd, 1000)
        if not b: break
        out += b
except OSError as e:
    say(e.strerror)
say(out, os.waitpid(pid, 0)[1]); os.close(fd)
pid, fd = pty.fork()
if not pid:
    print("python child", table["9"], os.isatty(0), flush=True); os._exit(8)
out = b""
try:
    while b"\n" not in out:
        out += os.read(fd, 100)
except OSError as e:
    say(e.strerror)
say(out); say(os.waitpid(pid, 0)[1] >> 8); os.close(fd)
check()
X
want 'exited 0' 'on a tty 7'
compare "pty.spawn and pty.fork" -l "$comm" -- "$python" "$P/ptys.py"

suite_file multi.py <<'X'
import multiprocessing as mp, os, sys; from ballast import *
def work(n):
    return n, table[str(n)][1], chunks[n % 64][0], len(chunks)
def sink(q, n):
    spoil(); q.put((n, len(table))); sys.exit(n)
def fails(n):
    raise ValueError(n)
if __name__ == "__main__":
    mp.set_start_method("fork")
    with mp.Pool(4) as pool:
        say(pool.map(work, range(200)))
        try:
            pool.map(fails, [3])
        except ValueError as e:
            say("raised", e)
        pool.close(); pool.join()
    q = mp.Queue()
    ps = [mp.Process(target=sink, args=(q, n)) for n in range(6)]
    [p.start() for p in ps]
    say(sorted(q.get(timeout=30) for _ in ps))
    [p.join() for p in ps]; say([p.exitcode for p in ps])
    q.close(); q.join_thread()
    say(mp.Value("i", 5).value, mp.Manager().list([1, 2])[1])
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2) as ex:
        say(list(ex.map(pow, [2, 3], [10, 4])))
    del q
    check()
X
want 'exited 0' '1024, 81'
compare "multiprocessing with fork" -f 's/descriptors.*//' -- "$python" "$P/multi.py"

suite_file workers.py <<'X'
import os, time; from ballast import *
for round in range(3):
    kids = {}
    for n in range(6):
        r, w = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(r)
            total = sum(len(c) for c in chunks) + len(table)
            spoil()
            os.write(w, b"%d %d" % (n, total)); os._exit(n)
        os.close(w); kids[pid] = r
    for pid, r in kids.items():
        say(os.read(r, 100)); os.close(r)
        say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
# a worker that execs between workers that don't
for n in range(12):
    pid = os.fork()
    if not pid:
        if n % 2:
            os.execv("/bin/echo", ["echo", "exec'ed", table[str(n)][1]])
        os.write(1, b"worker %d\n" % n); os._exit(0)
    os.waitpid(pid, 0)
pid = os.fork()                      # buffered output, exit by sys.exit
if not pid:
    print("flushed by the child"); sys.exit(5)
say(os.waitpid(pid, 0)[1] >> 8)
a, b = os.pipe()
pid = os.fork()                      # a child that waits for its parent
if not pid:
    os.close(b); os.write(1, os.read(a, 100)); os._exit(6)
os.write(b, b"handshake\n"); say(os.waitpid(pid, 0)[1] >> 8)
os.close(a); os.close(b)
check()
X
want 'exited 0' "exec'ed value 3"
compare "os.fork workers" -- "$python" "$P/workers.py"

suite_file ffi.py <<'X'
import ctypes, os; from ballast import *
libc = ctypes.CDLL(None)
for i in range(10):
    pid = libc.fork()
    if pid == 0:
        spoil()
        os.execv("/bin/sh", ["sh", "-c", "exit %d" % (i + 1)])
    say(os.waitpid(pid, 0)[0] == pid, i)
for i in range(5):
    pid = libc.fork()
    if pid == 0:
        os.write(1, b"no exec %d\n" % len(table)); os._exit(i)
    say(os.waitpid(pid, 0)[1] >> 8)
say(libc.system(b"exit 9") >> 8)
check()
X
want 'exited 0' 'no exec 50000'
# A child that writes all over its heap takes long where pages are dear.
suite_env+=(FLATFORK_BUDGET_MS=5000)
compare "fork through ctypes" -l "$comm" -- "$python" "$P/ffi.py"
unset 'suite_env[-1]'

# vfork by ctypes: its child returns into the interpreter and goes on with
# what it likes until os.execv. Plain vfork crashes; MODE plain and off ask
# fork.
suite_file vfork.py <<'X'
import ctypes, os, sys; from ballast import *
libc = ctypes.CDLL(None)
name = "vfork" if os.environ["MODE"] in ("lazy", "fence") else "fork"
start = getattr(libc, name)
for i in range(8):
    pid = start()
    if pid == 0:
        os.execv("/bin/sh", ["sh", "-c", "echo child; exit %d" % i])
    say(pid > 0, os.waitpid(pid, 0)[0] == pid, "parent", i)
for i in range(4):
    pid = start()
    if pid == 0:
        spoil(); os.write(1, b"no exec %d\n" % len(table)); os._exit(i)
    say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
for i in range(4):
    sys.stdout.write("in the buffer "); pid = start()
    if pid == 0:
        print("child prints", i); sys.exit(20 + i)
    st = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    say("parent prints", st)
pid = start()
if pid == 0:
    raise ValueError("in the child")
say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
check()
X
want 'exited 0' 'no exec 0'
compare "vfork through ctypes" -- "$python" "$P/vfork.py"

# The line of the issue: nothing else than what python needs anyway.
suite_file line.py <<'X'
import ctypes, os
n = "vfork" if os.environ["MODE"] in ("lazy", "fence") else "fork"
p = getattr(ctypes.CDLL(None), n)()
p or os.execv("/bin/true", ["true"])
os.waitpid(p, 0); print("parent prints")
X
want 'exited 0' 'parent prints'
compare "one line with vfork through ctypes" -- "$python" "$P/line.py"

suite_file threads.py <<'X'
import os, subprocess as sp, threading; from ballast import *
out = [None] * 8
stop = threading.Event()
def churn():
    n = 0
    while not stop.is_set():
        x = [bytes(1000) for _ in range(100)]; n += len(x)
def run(n):
    res = []
    for i in range(6):
        res.append(sp.run(["echo", str(n), str(i)], capture_output=True,
            preexec_fn=os.setsid).stdout)
    out[n] = b"".join(res)
c = [threading.Thread(target=churn) for _ in range(2)]
t = [threading.Thread(target=run, args=(n,)) for n in range(8)]
[x.start() for x in c + t]; [x.join() for x in t]; stop.set(); [x.join() for x in c]
say(out)
check()
X
want 'exited 0' 'ballast intact'
compare "subprocess in several threads" -l "$comm" -- "$python" "$P/threads.py"

# An exec that takes long: who forks holds the interpreter's lock, and must not
# do so until the exec is through, which another thread has to permit.
suite_file slow.py <<'X'
import ctypes, os, select, shutil, struct, subprocess as sp, threading
from ballast import *
libc = ctypes.CDLL(None, use_errno=True)
shutil.copy("/bin/echo", "slow")
marks = libc.fanotify_init(0x4 | 0x1, os.O_RDONLY)
PERM = ctypes.c_uint64(0x40000)
if marks < 0 or libc.fanotify_mark(marks, 1, PERM, -100, b"slow") < 0:
    print("no fanotify, ballast intact"); sys.exit()
steps, done = 0, False
def step():
    global steps
    while not done:
        steps += 1
        threading.Event().wait(0.001)
def permit():
    while not done:
        if not select.select([marks], [], [], 0.05)[0]:
            continue
        event = os.read(marks, 4096)
        fd = struct.unpack_from("=IBBHQii", event)[5]
        until = steps + 20
        while steps < until:
            threading.Event().wait(0.001)
        os.write(marks, struct.pack("=iI", fd, 1)); os.close(fd)
threads = [threading.Thread(target=t) for t in (step, permit)]
[t.start() for t in threads]
for i in range(3):
    say(sp.run(["./slow", "slow", str(i)], preexec_fn=os.setsid).returncode)
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        os.write(1, b"child writes\n")
        os.execv("./slow", ["slow", "said"])
    say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
done = True
[t.join() for t in threads]
os.close(marks); os.unlink("slow")
check()
X
want 'exited 0' 'ballast intact'
compare "an exec that another thread permits" -l "$comm" -- \
	"$python" -W ignore "$P/slow.py" # 3.12 warns of fork beside threads

suite_end
