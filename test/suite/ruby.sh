#!/bin/bash
# ruby: forks for children as root and vforks as any other user; a fork with
# a block goes on as ruby.
. "$(dirname "$0")/lib.sh"
needs ruby setpriv
suite_forks_by ruby "$(ldd "$(command -v ruby)" |
	awk '/libruby/ { print $3 }')"

suite_file ballast.rb <<'X'
# 64 MiB that have to be intact at the end.
$stdout.sync = true
$chunks = (0...64).map { |i| (65 + i % 26).chr * (1 << 20) }
$table = (0...50000).to_h { |i| ["k#{i}", "value #{i}"] }
def check
  $chunks.each_with_index do |c, i|
    raise "chunk #{i}" unless c == (65 + i % 26).chr * (1 << 20)
  end
  50000.times { |i| raise "key #{i}" unless $table["k#{i}"] == "value #{i}" }
  kids = File.read("/proc/self/task/#{$$}/children")
  puts "ballast intact, children '#{kids}'"
end
X

suite_file children.rb <<'X'
require ENV["P"] + "/ballast.rb"
require "open3"
20.times do |i|
  p system("/bin/echo", "list", $table["k#{i}"]), $?.exitstatus
  p system("echo shell #{i}; exit #{i}"), $?.exitstatus
  p `echo ticks #{i}`, $?.to_i
  pid = spawn({ "GIVEN" => $table["k#{i}"] }, "echo $GIVEN; exit #{i}")
  Process.wait(pid); p $?.exitstatus
  p system("/nonexistent/program", "x"), $?.exitstatus
end
p system({ "A" => "1" }, "env", unsetenv_others: true)
p system("sh", "-c", "echo out; echo err >&2", [:out, :err] => "both"), File.read("both")
p system("pwd", chdir: "/"), system("umask", umask: 0o77)
p system("echo group", pgroup: true)
p spawn("true", in: :close).then { |q| Process.wait(q); $?.success? }
p Open3.capture3("tr a-z A-Z; echo err >&2; exit 3", stdin_data: "data").then { |o, e, s| [o, e, s.exitstatus] }
p IO.popen(["cat"], "r+") { |f| f.write("x" * 1000); f.close_write; f.read.size }
p IO.popen("-") { |f| f ? f.read : puts("ruby child #{$table["k5"]}") }
begin; `/nonexistent/x`; rescue SystemCallError => e; p e.class; end
begin; spawn("/etc/passwd"); rescue SystemCallError => e; p e.class; end
p system("kill -TERM $$"), $?.termsig
system(ENV["LOOK"], "self")
t = (0...4).map { |n| Thread.new { (0...5).map { |i| `echo #{n} #{i}` } } }
p t.map(&:value)
check
X
want 'exited 0' 'ballast intact'
lazy=()
[ "$(id -u)" = 0 ] && lazy=(-l ruby)
compare "system, backticks, spawn" ${lazy[@]+"${lazy[@]}"} \
	-f 's/0x[0-9a-f]+/ADDR/g' -- ruby "$P/children.rb"

suite_file blocks.rb <<'X'
require ENV["P"] + "/ballast.rb"
10.times do |i|
  pid = fork { $chunks.map! { "spoilt" }; File.write("child#{i}", $table["k#{i}"]); exit!(i) }
  Process.wait(pid); p $?.exitstatus
  pid = fork { $table.clear; exec("sh", "-c", "echo exec'ed #{i}; exit #{i}".sub("'", "")) }
  Process.wait(pid); p $?.exitstatus
end
pid = fork { at_exit { puts "at_exit in the child" }; exit 3 }
Process.wait(pid); p $?.exitstatus
r, w = IO.pipe
pid = fork { r.close; q = fork { w.puts "grandchild"; exit!(0) }; Process.wait(q); w.puts "child" }
w.close; Process.wait(pid); p r.read; r.close
r, w = IO.pipe
pid = fork { w.close; puts "read #{r.read}"; exit 6 }
r.close; w.write "handshake"; w.close; Process.wait(pid); p $?.exitstatus
pid = fork { raise "in the child" }
Process.wait(pid); p $?.exitstatus
pid = fork { exec("/nonexistent/program") }
Process.wait(pid); p $?.exitstatus
r, w = IO.pipe
pid = fork { Process.detach(spawn("true")).join; w.puts "joined"; sleep }
p r.gets; r.close; w.close
Process.kill(:TERM, pid); Process.wait(pid); p $?.termsig
p Process.detach(fork { exit 4 }).value.exitstatus
check
X
want 'exited 0' 'exec ?ed 9'
compare "fork with a block" -- ruby "$P/blocks.rb"

suite_file daemon.rb <<'X'
require ENV["P"] + "/ballast.rb"
r, w = IO.pipe
pid = fork do
  r.close
  Process.daemon(true, true)
  w.puts "daemon, leader: #{Process.getsid == $$ ? "yes" : "no"}"
  w.puts $table["k3"], `echo from the daemon`
end
w.close; Process.wait(pid); p $?.exitstatus, r.read
check
X
want 'exited 0' 'from the daemon'
compare "Process.daemon" -- ruby "$P/daemon.rb"

if [ "$(id -u)" = 0 ]; then
	suite_other_user
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	want 'exited 0' 'ballast intact'
	compare "as a user: system, backticks, spawn" -- \
		"${as[@]}" ruby "$P/children.rb"
	compare "as a user: fork with a block" -- \
		"${as[@]}" ruby "$P/blocks.rb"
fi

suite_end
