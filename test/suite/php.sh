#!/bin/bash
# php: proc_open forks, until 8.4, which uses posix_spawn; with an array and an
# environment the child points environ at memory of the parent. exec and friends
# use popen.
. "$(dirname "$0")/lib.sh"
needs php
suite_forks_by php
proc_open=(-l php)
nm -D --undefined-only "$(readlink -f "$(command -v php)")" |
	grep -q ' posix_spawn_file_actions_addchdir_np@' && proc_open=()

suite_file ballast.php <<'X'
<?php // 64 MiB that have to be intact at the end.
$chunks = []; $table = [];
for ($i = 0; $i < 64; $i++) $chunks[] = str_repeat(chr(65 + $i % 26), 1 << 20);
for ($i = 0; $i < 50000; $i++) $table["k$i"] = "value $i";
function check() {
	global $chunks, $table;
	foreach ($chunks as $i => $c)
		if ($c !== str_repeat(chr(65 + $i % 26), 1 << 20)) die("chunk $i");
	foreach ($table as $k => $v)
		if ($v !== "value " . substr($k, 1)) die("key $k");
	$kids = file_get_contents("/proc/self/task/" . getmypid() . "/children");
	$fds = array_diff(scandir("/proc/self/fd"), [".", ".."]);
	sort($fds, SORT_NUMERIC);
	echo "ballast intact, children '$kids', descriptors ",
		implode(" ", $fds), "\n";
}
X

suite_file proc.php <<'X'
<?php require getenv("P") . "/ballast.php";
function run($cmd, $env = null, $in = "", $cwd = null) {
	$p = proc_open($cmd, [["pipe", "r"], ["pipe", "w"], ["pipe", "w"]], $pipes,
		$cwd, $env);
	if (!$p) return "no process";
	fwrite($pipes[0], $in); fclose($pipes[0]);
	$out = stream_get_contents($pipes[1]); $err = stream_get_contents($pipes[2]);
	fclose($pipes[1]); fclose($pipes[2]);
	return proc_close($p) . " $out$err";
}
for ($i = 0; $i < 15; $i++) {
	echo run(["env"], ["GIVEN" => $table["k$i"], "N" => $i]), "\n";
	echo run("echo shell $i; echo err >&2; exit $i"), "\n";
	echo run("env", ["GIVEN" => "string form $i"]), "\n";
	echo run(["cat"], null, str_repeat("x", 1000)), "\n";
	echo run(["sh", "-c", 'test -n "$PATH" && echo inherited'], null), "\n";
	echo run(["pwd"], null, "", "/"), "\n";
}
echo getenv("PATH") ? "own environment kept\n" : "environment lost\n";
for ($i = 0; $i < 5; $i++) {
	echo run(["/nonexistent/program"]), "\n";
	echo run("/nonexistent/program"), "\n";
}
$p = proc_open(["sleep", "60"], [], $pipes);
proc_terminate($p, 9); do { $s = proc_get_status($p); usleep(1000); } while ($s["running"]);
echo $s["termsig"], "\n"; proc_close($p);
$p = proc_open([getenv("LOOK"), "self"], [1 => ["file", "looked", "w"]], $pipes);
proc_close($p); readfile("looked");
{
	$p = @proc_open(["sh", "-c", "test -t 1 && echo tty"], [1 => ["pty"]], $pipes);
	echo $p ? fgets($pipes[1]) : "no pty\n"; if ($p) proc_close($p);
}
check();
X
want 'exited 0' 'string form 14'
compare "proc_open" ${proc_open[@]+"${proc_open[@]}"} -- php "$P/proc.php"

suite_file exec.php <<'X'
<?php require getenv("P") . "/ballast.php";
for ($i = 0; $i < 10; $i++) {
	exec("echo a; echo b; exit $i", $out, $r); echo implode(",", $out), " $r\n";
	echo shell_exec("echo shell_exec $i"), `echo ticks`;
	system("echo system; exit 3", $r); echo "$r\n";
	passthru("printf 'raw\\n'");
	$f = popen("tr a-z A-Z", "w"); fwrite($f, "popen $i\n"); echo pclose($f), "\n";
	$f = popen("echo read; exit 2", "r"); echo fgets($f), pclose($f), "\n";
}
check();
X
want 'exited 0' 'ballast intact'
compare "exec, system, popen" -- php "$P/exec.php"

suite_file pcntl.php <<'X'
<?php if (!function_exists("pcntl_fork")) { echo "no pcntl\n"; exit; }
require getenv("P") . "/ballast.php";
for ($i = 0; $i < 10; $i++) {
	$pid = pcntl_fork();
	if (!$pid) {
		$chunks = []; file_put_contents("child$i", $table["k$i"]); exit($i);
	}
	pcntl_waitpid($pid, $st); echo pcntl_wexitstatus($st), "\n";
	$pid = pcntl_fork();
	if (!$pid) { $table = []; pcntl_exec("/bin/sh", ["-c", "exit $i"], ["A" => "b"]); }
	pcntl_waitpid($pid, $st); echo pcntl_wexitstatus($st), "\n";
}
check();
X
want 'exited 0'
compare "pcntl_fork" -- php "$P/pcntl.php"

suite_end
