#!/bin/bash
# perl: system, backticks and pipe opens fork and exec; fork without exec,
# IPC::Open3 and failed execs are the harder children.
. "$(dirname "$0")/lib.sh"
needs perl
suite_forks_by perl

suite_file ballast.pm <<'X'
# 64 MiB that have to be intact at the end, whatever the children did.
package ballast;
our @chunks = map { chr(65 + $_ % 26) x (1 << 20) } 0 .. 63;
our %table = map { $_ => "v$_" } 1 .. 20000;
sub check {
	for my $i (0 .. 63) {
		my $c = chr(65 + $i % 26);
		die "chunk $i" unless $chunks[$i] eq $c x (1 << 20);
	}
	for my $k (keys %table) {
		die "key $k" unless $table{$k} eq "v$k";
	}
	open(my $c, "<", "/proc/$$/task/$$/children") or die;
	my @kids = split " ", <$c> // "";
	close $c;
	opendir(my $d, "/proc/$$/fd") or die;
	my @fds = sort { $a <=> $b } grep { /\d/ } readdir $d;
	print "ballast intact, descriptors @fds, children ", 0 + @kids, "\n";
}
1;
X

suite_file system.pl <<'X'
use lib $ENV{P}; use ballast; $| = 1;
for my $i (1 .. 30) {
	my $r = system("/bin/echo", "list", $i, $ballast::table{$i});
	my $s = system("echo shell $i; exit " . ($i % 4));
	print "$r $s ", $? >> 8, "\n";
}
system($ENV{LOOK}, "both");
system("$ENV{LOOK} parent 2>&1");
{ local $ENV{GIVEN} = $ballast::table{77}; system('echo $GIVEN'); }
print STDERR "done\n";
ballast::check();
X
want 'exited 0' 'ballast intact'
compare "system in a loop" -l perl -- perl "$P/system.pl"

suite_file ticks.pl <<'X'
use lib $ENV{P}; use ballast;
my @all;
for my $i (1 .. 30) {
	push @all, `echo tick $i $ballast::table{$i}`;
	my @lines = `printf 'a\nb\nc\n'`;
	print scalar(@lines), " $?\n";
}
print @all;
my $big = `perl -e 'print "0123456789" x 100000'`;
print length($big), " ", unpack("%32C*", $big), "\n";
my $err = `ls /nonexistent/x 2>&1`;
print $err, $? >> 8, "\n";
my $none = `/nonexistent/program`;
print defined $none ? "empty" : "undef", " ", $? >> 8, " $!\n";
print `$ENV{LOOK}`;
ballast::check();
X
want 'exited 0' 'ballast intact'
compare "backticks" -l perl -- perl "$P/ticks.pl"

suite_file pipes.pl <<'X'
use lib $ENV{P}; use ballast; $| = 1;
for my $i (1 .. 20) {
	open(my $r, "-|", "echo", "read", $ballast::table{$i}) or die;
	print <$r>; close $r; print "$?\n";
	open(my $w, "|-", "tr a-z A-Z") or die;
	print $w "written $i\n"; close $w; print "$?\n";
	open(my $s, "echo one; exit $i|") or die;
	print <$s>; close $s; print $? >> 8, "\n";
}
open(my $w, "|-", "cat >written; exit 3") or die;
print $w join("\n", map { $ballast::table{$_} } 1 .. 20000);
print close($w) ? "closed" : "failed", " ", $? >> 8, "\n";
my $pid = open(my $self, "-|") // die;
if (!$pid) { print "from the other perl $ballast::table{5}\n"; exit 7; }
print <$self>; close $self; print $? >> 8, "\n";
open(my $l, "-|", $ENV{LOOK}) or die; print <$l>; close $l;
ballast::check();
X
want 'exited 0' 'ballast intact'
compare "pipe opens" -l perl -- perl "$P/pipes.pl"

suite_file forks.pl <<'X'
use lib $ENV{P}; use ballast; $| = 1;
for my $i (1 .. 20) {
	my $pid = fork // die;
	if (!$pid) {
		$ballast::chunks[$_] = "spoilt" for 0 .. 63;
		open(my $f, ">", "child$i"); print $f "$ballast::table{$i}\n";
		exit $i;
	}
	waitpid($pid, 0) == $pid or die;
	print $? >> 8, "\n";
}
for my $i (1 .. 10) {
	my $pid = fork // die;
	if (!$pid) {
		$ballast::chunks[$_] = "spoilt" for 0 .. 63;
		exec "/bin/echo", "exec'ed", $ballast::table{$i};
	}
	waitpid($pid, 0); print "$?\n";
}
my $pid = fork // die;                       # nested
if (!$pid) {
	my $inner = fork // die;
	if (!$inner) { exec "sh", "-c", "exit 5" }
	waitpid($inner, 0); exit(($? >> 8) + 1);
}
waitpid($pid, 0); print "nested ", $? >> 8, "\n";
my @pids = map { my $n = $_; fork // die or do { exit $n } } 1 .. 8;
my %st; $st{waitpid($_, 0)} = $? >> 8 for @pids;
print join(",", map { $st{$_} } @pids), " then ", wait(), "\n";
ballast::check();
X
want 'exited 0' 'nested 6'
compare "fork with and without exec" -l perl -- perl "$P/forks.pl"

suite_file buffered.pl <<'X'
# Output still in the buffer is printed as often as after any fork.
print "buffered ";
my $pid = fork // die;
if (!$pid) { print "child\n"; exit 0 }
waitpid($pid, 0);
print "parent\n";
END { print "END block in ", ($pid ? "parent" : "child"), "\n" }
X
want 'exited 0' 'END block in child'
compare "unflushed output and END blocks" -- perl "$P/buffered.pl"

suite_file failed.pl <<'X'
use lib $ENV{P}; use ballast; use warnings; $| = 1;
open(STDERR, ">&", \*STDOUT);
for my $i (1 .. 10) {
	my $r = system("/nonexistent/$i", "x");
	print "$r $? ", $!{ENOENT} ? "ENOENT" : "other", "\n";
	$r = system("/etc/passwd", "x");
	print "$r ", $!{EACCES} ? "EACCES" : "other", "\n";
	my $pid = fork // die;
	if (!$pid) { exec "/nonexistent/exec", "y"; print "still here\n"; exit 9 }
	waitpid($pid, 0); print $? >> 8, "\n";
	print open(my $f, "-|", "/nonexistent/open") ? "opened" : "not: $!", "\n";
}
ballast::check();
X
want 'exited 0' 'still here'
compare "failed exec" -- perl "$P/failed.pl"

suite_file open3.pl <<'X'
use lib $ENV{P}; use ballast; use IPC::Open3; use IPC::Open2; use Symbol;
for my $i (1 .. 10) {
	my $e = gensym;
	my $pid = open3(my $in, my $out, $e, "sh", "-c",
		"read x; echo out \$x; echo err \$x >&2; exit $i");
	print $in "$ballast::table{$i}\n"; close $in;
	print <$out>, <$e>; waitpid($pid, 0); print $? >> 8, "\n";
	$pid = open2(my $r, my $w, "tr", "a-z", "A-Z");
	print $w "open2 $i\n"; close $w; print <$r>;
	waitpid($pid, 0); print "$?\n";
}
eval { open3(my $i, my $o, undef, "/nonexistent/open3") };
print $@ =~ /^open3: exec of .* failed/ ? "failed as told\n" : "no: $@\n";
print "children left: ", wait(), "\n";
ballast::check();
X
want 'exited 0' 'failed as told'
compare "IPC::Open3" -l perl -- perl "$P/open3.pl"

suite_file signals.pl <<'X'
use lib $ENV{P}; use ballast; use POSIX ":sys_wait_h"; $| = 1;
my $chld = 0; my $usr = 0;
$SIG{USR1} = sub { $usr++ };
for my $i (1 .. 10) {
	my $pid = fork // die;
	if (!$pid) { exec "sh", "-c", 'kill -TERM $$' }
	waitpid($pid, 0); print $? & 127, "\n";
	$pid = fork // die;
	if (!$pid) { kill KILL => $$ }
	waitpid($pid, 0); print $? & 127, "\n";
	system('kill -USR1 $PPID');
}
print "usr1 $usr\n";
$SIG{CHLD} = sub { while ((my $p = waitpid(-1, WNOHANG)) > 0) { $chld++ } };
for my $i (1 .. 10) {
	my $pid = fork // die;
	if (!$pid) { exec "true" }
	select undef, undef, undef, 0.01 until $chld == $i;
}
print "reaped by handler $chld\n";
$SIG{CHLD} = "IGNORE";
my $pid = fork // die;
if (!$pid) { exec "true" }
print waitpid($pid, 0) == -1 ? "no child" : "child", "\n";
$SIG{CHLD} = "DEFAULT";
$pid = fork // die;
if (!$pid) { $SIG{USR1} = sub { print "in child\n" }; kill USR1 => $$;
	exec "sh", "-c", 'kill -USR1 $$; echo not reached' }
waitpid($pid, 0); print $? & 127, "\n";
print `grep -E '^Sig(Blk|Ign)' /proc/self/status`;
print system("sh -c 'kill -INT \$\$'") & 127, "\n";
ballast::check();
X
want 'exited 0' 'reaped by handler 10'
compare "signals" -l perl -- perl "$P/signals.pl"

suite_file daemon.pl <<'X'
use POSIX; $| = 1;
pipe(my $r, my $w);
my $pid = fork // die;
if (!$pid) {
	POSIX::setsid() > 0 or die;
	my $two = fork // die; exit 0 if $two;
	close $r; chdir "/"; print $w "daemon, leader: ",
		(getpgrp() == $$ ? "yes" : "no"), "\n"; exit 0;
}
close $w; waitpid($pid, 0); print "first: $?\n", <$r>;
X
want 'exited 0' 'leader: no'
compare "double fork" -- perl "$P/daemon.pl"

suite_end
