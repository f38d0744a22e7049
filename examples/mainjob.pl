#!/usr/bin/perl
# The main job: a perl with a big heap that starts children the way perl
# programs do. It knows nothing of flatfork.
#
# mainjob.pl MIB TIMINGS [SYSTEMS [BACKTICKS [PIPES]]]
#
# Standard output gets what must be the same however the children were
# started: statuses, outputs, a sum over the heap. The file TIMINGS gets what
# need not be: one line per child, `kind microseconds`, and `rss_mib N`.
use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($mib, $timings_path, $systems, $backticks, $pipes) = @ARGV;
die "usage: mainjob.pl MIB TIMINGS [SYSTEMS [BACKTICKS [PIPES]]]\n"
	unless defined $timings_path && $mib =~ /^[0-9]+$/;
$systems   //= 100;
$backticks //= 100;
$pipes     //= 20;
$| = 1;

# Half of the heap in small pieces (malloc's brk heap), half in pieces that
# malloc maps one by one.
my @heap;
my $small = 64 << 10;
my $big   = 64 << 20;
my $half  = ($mib << 20) / 2;
for my $i (1 .. $half / $small) {
	push @heap, chr(33 + $i % 90) x $small;
}
for (my $left = $half; $left > 0; $left -= $big) {
	push @heap, chr(33 + @heap % 90) x ($left < $big ? $left : $big);
}

sub heap_sum {
	my $sum = 0;
	for (my $i = 0; $i < @heap; $i += 97) {
		$sum += unpack('%32C*', substr($heap[$i], -4096));
	}
	return $sum;
}

open(my $timings, '>', $timings_path) or die "$timings_path: $!\n";
if (open(my $status, '<', '/proc/self/status')) {
	while (<$status>) {
		printf {$timings} "rss_mib %d\n", $1 / 1024 if /^VmRSS:\s+(\d+)/;
	}
	close($status);
}

sub timed {
	my ($kind, $code) = @_;
	my $start  = clock_gettime(CLOCK_MONOTONIC);
	my @result = $code->();
	my $end    = clock_gettime(CLOCK_MONOTONIC);
	printf {$timings} "%s %.1f\n", $kind, ($end - $start) * 1e6;
	return @result;
}

printf "heap %d pieces, sum %d\n", scalar(@heap), heap_sum();

for my $i (1 .. $systems) {
	my ($status) = timed('system', sub { system('/bin/true', 'x') });
	print "system $i: status $status \$? $?\n";
}

for my $i (1 .. $backticks) {
	my ($out) = timed('backticks', sub { scalar `/bin/echo child $i` });
	print "backticks $i: \$? $? ", $out // "(undef: $!)\n";
}

for my $i (1 .. $pipes) {
	if ($i % 2) {
		my ($out, $ok) = timed('pipe', sub {
			open(my $from, '-|', '/bin/echo', 'from', $i)
				or return ("open: $!\n", 0);
			my $line = <$from>;
			return ($line, close($from));
		});
		print "pipe $i: close ", $ok ? 1 : 0, " \$? $? $out";
	} else {
		my ($ok) = timed('pipe', sub {
			open(my $to, '|-', '/bin/cat') or return 0;
			print {$to} "to $i\n";
			return close($to);
		});
		print "pipe $i: close ", $ok ? 1 : 0, " \$? $?\n";
	}
}

# No child of ours is left over, and none of them has changed our memory.
my $left = waitpid(-1, 0);
printf "heap sum %d, waitpid %d\n", heap_sum(), $left;
close($timings) or die "$timings_path: $!\n";
