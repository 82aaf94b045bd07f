/* containment-sockets WHICH: prints the results of making sockets of all kinds: `carried`, those that a proxy can
 * relay or that stay on this machine; or `other`. */
#include "probe.h"

#include <linux/if_ether.h>

static const struct kind {
    const char *name;
    int domain, type, protocol;
} carried[] = {
    {"AF_UNIX stream", AF_UNIX, SOCK_STREAM, 0},
    {"AF_UNIX datagram", AF_UNIX, SOCK_DGRAM, 0},
    {"AF_UNIX sequence", AF_UNIX, SOCK_SEQPACKET, 0},
    {"TCP", AF_INET, SOCK_STREAM, 0},
    {"TCP by name", AF_INET, SOCK_STREAM, IPPROTO_TCP},
    {"TCP with flags", AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0},
    {"TCP6", AF_INET6, SOCK_STREAM, 0},
    {"UDP", AF_INET, SOCK_DGRAM, 0},
    {"UDP by name", AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP},
    {"UDP6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP},
    {"AF_NETLINK", AF_NETLINK, SOCK_RAW, 0},
    {"AF_ALG", AF_ALG, SOCK_SEQPACKET, 0},
    {"AF_KEY", AF_KEY, SOCK_RAW, 2},
    {"AF_UNSPEC", AF_UNSPEC, SOCK_STREAM, 0},
}, other[] = {
    {"raw ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP},
    {"raw TCP", AF_INET, SOCK_RAW, IPPROTO_TCP},
    {"raw UDP with flags", AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP},
    {"raw", AF_INET, SOCK_RAW, IPPROTO_RAW},
    {"raw6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
    {"packet", AF_PACKET, SOCK_RAW, 0},
    {"packet datagram", AF_PACKET, SOCK_DGRAM, 0},
    {"old packet", AF_INET, SOCK_PACKET, 0},
    {"ICMP", AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
    {"ICMP with flags", AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP},
    {"ICMPv6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6},
    {"SCTP", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
    {"SCTP sequence", AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP},
    {"any sequence", AF_INET, SOCK_SEQPACKET, 0},
    {"DCCP", AF_INET, SOCK_DCCP, IPPROTO_DCCP},
    {"UDP-Lite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
    {"UDP-Lite6", AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE},
    {"MPTCP", AF_INET, SOCK_STREAM, IPPROTO_MPTCP},
    {"MPTCP6", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP},
    {"L2TP", AF_INET, SOCK_DGRAM, 115},
    {"AF_VSOCK", AF_VSOCK, SOCK_STREAM, 0},
    {"AF_BLUETOOTH", AF_BLUETOOTH, SOCK_RAW, 1},
    {"AF_X25", AF_X25, SOCK_SEQPACKET, 0},
    {"AF_RDS", AF_RDS, SOCK_SEQPACKET, 0},
    {"AF_TIPC", AF_TIPC, SOCK_STREAM, 0},
    {"AF_SMC", 43, SOCK_STREAM, 0},
    {"AF_XDP", AF_XDP, SOCK_RAW, 0},
    {"AF_CAN", AF_CAN, SOCK_RAW, 1},
};

static const char *made(int fd) {
    const char *result = outcome(fd);
    if (fd >= 0) close(fd);
    return result;
}

int main(int count, char **arguments) {
    require(count == 2);
    int is_carried = strcmp(arguments[1], "carried") == 0;
    const struct kind *kinds = is_carried ? carried : other;
    size_t length = is_carried ? sizeof carried / sizeof *carried : sizeof other / sizeof *other;
    for (const struct kind *kind = kinds; kind < kinds + length; kind++) {
        const char *by_name = made(socket(kind->domain, kind->type, kind->protocol));
        const char *by_number = made((int)syscall(SYS_socket, kind->domain, kind->type, kind->protocol));
        say("%s: %s%s%s\n", kind->name, by_name, strcmp(by_name, by_number) ? ", by number " : "",
            strcmp(by_name, by_number) ? by_number : "");
    }
    int pair[2];
    if (is_carried) say("socketpair: %s\n", outcome(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
}
