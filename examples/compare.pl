#!/usr/bin/perl
# Timings of mainjob.pl, plain against flatfork, medians per child.
#
# compare.pl [--lines SUFFIX] PLAIN FLATFORK
#
# Prints a table; with --lines, `name value unit` lines whose names end in
# SUFFIX. Several runs may be concatenated in one file.
use strict;
use warnings;

my $suffix;
if (@ARGV && $ARGV[0] eq '--lines') {
	shift;
	$suffix = shift;
}
die "usage: compare.pl [--lines SUFFIX] PLAIN FLATFORK\n" unless @ARGV == 2;

sub medians {
	my ($path) = @_;
	my %values;
	open(my $from, '<', $path) or die "$path: $!\n";
	while (<$from>) {
		push @{$values{$1}}, $2 if /^(\w+) ([0-9.]+)$/;
	}
	close($from);
	my %median;
	for my $kind (keys %values) {
		my @sorted = sort { $a <=> $b } @{$values{$kind}};
		$median{$kind} = $sorted[$#sorted / 2];
	}
	return \%median;
}

my ($plain, $flat) = map { medians($_) } @ARGV;
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
	}
	exit 0;
}

printf "resident: %d MiB plain, %d MiB under flatfork\n",
	$plain->{rss_mib} // 0, $flat->{rss_mib} // 0;
printf "%-12s %14s %14s %16s\n", 'per child', 'plain', 'flatfork',
	'plain/flatfork';
for my $kind (@kinds) {
	printf "%-12s %11.3f ms %11.3f ms %15.1fx\n", $kind,
		$plain->{$kind} / 1e3, $flat->{$kind} / 1e3,
		$plain->{$kind} / $flat->{$kind};
}
