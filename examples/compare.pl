#!/usr/bin/perl
# Timings of mainjob.pl, plain against flatfork, per child.
#
# compare.pl [--lines SUFFIX] [--quantile Q] PLAIN FLATFORK [SMALL]
#
# SMALL: timings of a small process, plain: what the same child costs where
# there is no memory to copy. Prints a table; with --lines, `name value unit`
# lines whose names end in SUFFIX. Q is between 0 and 1: the child that this
# part of all children was faster than; without it, the median. Several runs
# may be concatenated in one file.
use strict;
use warnings;
use Getopt::Long;

my $suffix;
my $quantile = 0.5;
my $usage = "usage: compare.pl [--lines SUFFIX] [--quantile Q] "
	. "PLAIN FLATFORK [SMALL]\n";
GetOptions('lines=s' => \$suffix, 'quantile=f' => \$quantile) or die $usage;
die $usage
	unless (@ARGV == 2 || @ARGV == 3) && $quantile >= 0 && $quantile <= 1;

sub quantiles {
	my ($path) = @_;
	my %values;
	open(my $from, '<', $path) or die "$path: $!\n";
	while (<$from>) {
		push @{$values{$1}}, $2 if /^(\w+) ([0-9.]+)$/;
	}
	close($from);
	my %at;
	for my $kind (keys %values) {
		my @sorted = sort { $a <=> $b } @{$values{$kind}};
		$at{$kind} = $sorted[$#sorted * $quantile];
	}
	return \%at;
}

my ($plain, $flat, $small) = map { quantiles($_) } @ARGV;
my @kinds = grep { defined $plain->{$_} && defined $flat->{$_} }
	qw(system backticks pipe);
die "compare.pl: no timings of both\n" unless @kinds;

if (defined $suffix) {
	for my $kind (@kinds) {
		printf "mainjob.%s.plain.%s %.1f us\n", $kind, $suffix,
			$plain->{$kind};
		printf "mainjob.%s.flatfork.%s %.1f us\n", $kind, $suffix,
			$flat->{$kind};
		printf "ratio.mainjob.%s.plain/flatfork.%s %.2f x\n", $kind,
			$suffix, $plain->{$kind} / $flat->{$kind};
		next unless $small && $small->{$kind};
		printf "mainjob.%s.small.%s %.1f us\n", $kind, $suffix,
			$small->{$kind};
		printf "ratio.mainjob.%s.plain/small.%s %.2f x\n", $kind,
			$suffix, $plain->{$kind} / $small->{$kind};
		printf "ratio.mainjob.%s.flatfork/small.%s %.2f x\n", $kind,
			$suffix, $flat->{$kind} / $small->{$kind};
	}
	exit 0;
}

printf "resident: %d MiB plain, %d MiB under flatfork\n",
	$plain->{rss_mib} // 0, $flat->{rss_mib} // 0;
my @head = ('per child', 'plain', 'flatfork', 'plain/ff');
my $widths = '%-10s %14s %14s %10s';
my $values = '%-10s %11.3f ms %11.3f ms %9.1fx';
if ($small) {
	push @head, 'small', 'ff/small', 'plain/small';
	$widths .= ' %12s %10s %12s';
	$values .= ' %9.3f ms %9.2fx %11.1fx';
}
printf "$widths\n", @head;
for my $kind (@kinds) {
	my ($p, $f) = ($plain->{$kind}, $flat->{$kind});
	my @row = ($kind, $p / 1e3, $f / 1e3, $p / $f);
	if ($small) {
		my $s = $small->{$kind};
		push @row, $s / 1e3, $f / $s, $p / $s;
	}
	printf "$values\n", @row;
}
