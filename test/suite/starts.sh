#!/bin/bash
# The usual ways in which programs of several languages start others, thirty
# times each, with 64 MiB of memory: with threads, and without them children that
# write before they exec, too; as a user, too. At most one in twenty behind
# the third may be a real fork.
. "$(dirname "$0")/lib.sh"
needs setpriv

as=()

# starts NAME COMM COMMAND...
starts() {
	local name=$1 comm=$2
	shift 2
	want 'exited 0' '^started 30'
	compare "$name" -r "$comm" -- "$@"
}

starts_as_user() {
	local name=$1 comm=$2
	shift 2
	[ "${#as[@]}" -eq 0 ] ||
		starts "$name, as a user" "$comm" "${as[@]}" "$@"
}

if [ "$(id -u)" = 0 ]; then
	suite_other_user
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

suite_file starts.rb <<'X'
require "open3"
chunks = (0...64).map { |i| (65 + i % 26).chr * (1 << 20) }
ARGV[1].to_i.times { Thread.new { loop { sleep 0.05 } } }
sum = 0
30.times do |i|
  case ARGV[0]
  when "exec" then Process.wait(fork { exec("/bin/true") })
  when "puts"
    Process.wait(fork { $stdout.sync = true; puts "child"; exec("/bin/true") })
  when "pipe"
    r, w = IO.pipe
    pid = fork { r.close; $stdout.reopen(w); w.close; exec("/bin/echo", "x") }
    w.close; sum += r.read.size; r.close; Process.wait(pid)
  when "popen" then IO.popen("-") { |f| f ? f.read : exec("/bin/echo", "x") }
  when "session" then Process.wait(fork { Process.setsid; exec("/bin/true") })
  end
  sum += $?.exitstatus
end
puts "started 30, #{sum}, #{chunks.sum(&:size)}"
X
# From 3.3 on its children make a thread before they exec, and so are real.
rubies() {
	local name="ruby: fork, $1" options=(-r ruby)
	shift
	! ruby -e 'exit RUBY_VERSION.to_f >= 3.3' || options=()
	want 'exited 0' '^started 30'
	compare "$name" ${options[@]+"${options[@]}"} -- "$@"
}

if command -v ruby >/dev/null; then
	for kind in exec pipe session; do
		rubies "$kind" ruby "$P/starts.rb" $kind 0
	done
	rubies puts ruby "$P/starts.rb" puts 0
	rubies "session, with threads" ruby "$P/starts.rb" session 4
	[ "${#as[@]}" -eq 0 ] ||
		rubies "popen, as a user" "${as[@]}" ruby "$P/starts.rb" popen 0
fi

suite_file starts.py <<'X'
import os, pty, resource, subprocess as sp, sys, threading
kind, threads = sys.argv[1], int(sys.argv[2])
chunks = [bytes([65 + i % 26]) * (1 << 20) for i in range(64)]
done = threading.Event()
for _ in range(threads):
    threading.Thread(target=done.wait, daemon=True).start()
def child(write=False):
    if write:
        os.write(1, b"child\n")
    os.execv("/bin/true", ["true"])
def one():
    if kind == "preexec":
        return sp.run(["/bin/true"], preexec_fn=os.setsid).returncode
    if kind == "prints":
        return sp.run(["/bin/true"],
                      preexec_fn=lambda: os.write(1, b"child\n")).returncode
    if kind == "limits":
        return sp.run(["/bin/true"], preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_CORE, (0, 0))).returncode
    if kind == "pty":
        pid, fd = pty.fork()
        pid or child()
        try:
            os.read(fd, 100)
        except OSError:
            pass
        os.close(fd)
    else:
        pid = os.fork()
        pid or child(kind == "writes")
    return os.waitpid(pid, 0)[1]
sums = sum(one() for _ in range(30))
print("started 30,", sums, sum(map(len, chunks)))
done.set()
X
python=/usr/bin/python3
if [ -x "$python" ]; then
	for kind in preexec limits pty writes prints; do
		starts "python: $kind" "$(basename $python)" \
			$python "$P/starts.py" $kind 0
	done
	starts "python: preexec, with threads" "$(basename $python)" \
		$python "$P/starts.py" preexec 4
	starts_as_user "python: limits, with threads" "$(basename $python)" \
		$python "$P/starts.py" limits 4
fi

suite_file starts.d <<'X'
import std.process, std.stdio, std.conv;
void main(string[] args)
{
	ubyte[][] chunks;
	int sum;
	foreach (i; 0 .. 64) {
		auto c = new ubyte[1 << 20];
		c[] = cast(ubyte)(65 + i % 26);
		chunks ~= c;
	}
	foreach (i; 0 .. 30) {
		if (args[1] == "spawn")
			sum += wait(spawnProcess(["/bin/true"]));
		else
			sum += execute(["/bin/echo", "x"]).output.length;
	}
	writeln("started 30, ", sum, " ", chunks.length);
}
X
for d in 'ldc2 -of=' 'gdc -o '; do
	command -v "${d%% *}" >/dev/null || continue
	eval "${d}$P/starts-d" '"$P/starts.d"' >/dev/null 2>&1 || continue
	starts "D, ${d%% *}: spawnProcess" starts-d "$P/starts-d" spawn
	starts_as_user "D, ${d%% *}: execute" starts-d "$P/starts-d" execute
	break
done

suite_file starts.go <<'X'
package main

import (
	"fmt"
	"os"
	"os/exec"
)

func main() {
	var chunks [][]byte
	sum := 0
	for i := 0; i < 64; i++ {
		c := make([]byte, 1<<20)
		for j := range c {
			c[j] = byte(65 + i%26)
		}
		chunks = append(chunks, c)
	}
	for i := 0; i < 30; i++ {
		if os.Args[1] == "run" {
			if exec.Command("/bin/true").Run() != nil {
				sum++
			}
		} else {
			out, _ := exec.Command("/bin/echo", "x").Output()
			sum += len(out)
		}
	}
	fmt.Println("started 30,", sum, len(chunks))
}
X
# Its runtime handles SIGSYS, and has threads.
if command -v gccgo >/dev/null &&
	gccgo -o "$P/starts-go" "$P/starts.go" >/dev/null 2>&1; then
	starts "Go, gccgo: Run" starts-go "$P/starts-go" run
	starts_as_user "Go, gccgo: Output" starts-go "$P/starts-go" output
fi

suite_file starts.js <<'X'
const cp = require("child_process");
const chunks = [...Array(64).keys()].map(i => Buffer.alloc(1 << 20, 65 + i % 26));
const one = () => process.argv[2] === "sync" ?
	cp.execFileSync("/bin/echo", ["x"]).length :
	new Promise(done =>
		cp.execFile("/bin/echo", ["x"], (error, out) => done(out.length)));
(async () => {
	let sum = 0;
	for (let i = 0; i < 30; i++)
		sum += await one();
	console.log("started 30,", sum, chunks.length);
})();
X
if command -v node >/dev/null; then
	starts "node: execFileSync" node node "$P/starts.js" sync
	starts_as_user "node: execFile" node node "$P/starts.js" async
fi

suite_file Starts.java <<'X'
import java.util.*;
class Starts {
	public static void main(String[] args) throws Exception {
		List<byte[]> chunks = new ArrayList<>();
		int sum = 0;
		for (int i = 0; i < 64; i++) {
			byte[] chunk = new byte[1 << 20];
			Arrays.fill(chunk, (byte)(65 + i % 26));
			chunks.add(chunk);
		}
		for (int i = 0; i < 30; i++) {
			Process p = new ProcessBuilder("/bin/echo", "x").start();
			sum += p.getInputStream().readAllBytes().length;
			sum += p.waitFor();
		}
		System.out.println("started 30, " + sum + " " + chunks.size());
	}
}
X
if command -v javac >/dev/null &&
	javac -d "$P" "$P/Starts.java" >/dev/null 2>&1; then
	starts "java: FORK" java java -cp "$P" \
		-Djdk.lang.Process.launchMechanism=FORK Starts
fi

suite_end
