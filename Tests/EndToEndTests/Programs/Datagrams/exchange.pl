# exchange.pl PORT HOST...: does the same as exchange.mjs, only by a connected socket, and with one datagram at a time.
use strict;
use warnings;
use IO::Socket::IP;

my ($port, @hosts) = @ARGV;
for my $host (@hosts) {
    my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Proto => "udp") or die "$host: $@";
    my ($count, $bytes) = (0, 0);
    for my $size (0, 1, 1200, 9000) {
        defined $socket->send("s" x $size) or die "send: $!";
        defined $socket->recv(my $data, 65536) or die "recv: $!";
        $data eq "s" x $size or die length($data) . " bytes that were not sent";
        $count++;
        $bytes += length $data;
    }
    print "$host $count $bytes\n";
}
