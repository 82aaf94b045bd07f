# Sends a word to each echo server named as HOST PORT, and prints what comes back.
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::IP;

while (my ($host, $port) = splice @ARGV, 0, 2) {
    my $class = $host =~ /:/ ? "IO::Socket::IP" : "IO::Socket::INET";
    my $socket = $class->new(PeerAddr => $host, PeerHost => $host, PeerPort => $port, Proto => "tcp")
        or die "cannot connect: $!\n";
    print $socket "$host\n";
    $socket->flush;
    print scalar <$socket>;
}
