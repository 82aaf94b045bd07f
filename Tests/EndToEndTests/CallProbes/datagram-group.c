/* datagram-group NAME: datagrams for this machine's own network. NAME: multicast, which sends to a group that
 * another socket has joined; broadcast, which sends to 255.255.255.255; both on the loopback interface. */
#include "datagram.h"

#include <net/if.h>

static int receiver(address *bound) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    *bound = numeric("0.0.0.0", "0");
    require(fd >= 0 && bind(fd, &bound->any, bound->length) == 0);
    require(getsockname(fd, &bound->any, &bound->length) == 0);
    return fd;
}

static void exchange(int from, int to, address *group, in_port_t port) {
    ((struct sockaddr_in *)&group->storage)->sin_port = port;
    say("sendto: %s\n", sendto(from, "to all", 6, 0, &group->any, group->length) == 6 ? "6" : strerrorname_np(errno));
    char bytes[16];
    say("received: %zd\n", recv(to, bytes, sizeof bytes, 0));
    say("connect: %d\n", connect(from, &group->any, group->length));
    say("send: %zd\n", send(from, "again", 5, 0));
    say("received: %zd\n", recv(to, bytes, sizeof bytes, 0));
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    int yes = 1, loopback = (int)if_nametoindex("lo");
    address bound;
    int to = receiver(&bound), from = socket(AF_INET, SOCK_DGRAM, 0);
    in_port_t port = ((struct sockaddr_in *)&bound.storage)->sin_port;
    if (strcmp(argv[1], "multicast") == 0) {
        address group = numeric("239.1.2.3", "1");
        struct ip_mreqn membership = {((struct sockaddr_in *)&group.storage)->sin_addr, {0}, loopback};
        require(setsockopt(to, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) == 0);
        require(setsockopt(from, IPPROTO_IP, IP_MULTICAST_IF, &membership, sizeof membership) == 0);
        exchange(from, to, &group, port);
    } else {
        address all = numeric("255.255.255.255", "1");
        require(setsockopt(from, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) == 0);
        require(setsockopt(from, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0);
        exchange(from, to, &all, port);
    }
    return 0;
}
