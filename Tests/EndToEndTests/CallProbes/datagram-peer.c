/* datagram-peer connected|port-zero HOST PORT: prints what a connected socket receives, by every call. Others may
 * send to it, too, but the program must not see their datagrams. `port-zero`: a socket that is connected to port 0. */
#include "datagram.h"

static void connected_alone(char **arguments unused) {
    int fd = connected();
    char bytes[64];
    struct iovec part = {bytes, sizeof bytes};
    struct mmsghdr several[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};
    address from = {.length = sizeof from.storage};
    send_text(fd, "recv");
    report("recv", recv(fd, bytes, sizeof bytes, 0), bytes, sizeof bytes, NULL, 0);
    send_text(fd, "read");
    report("read", read(fd, bytes, sizeof bytes), bytes, sizeof bytes, NULL, 0);
    send_text(fd, "recvfrom");
    report("recvfrom", recvfrom(fd, bytes, sizeof bytes, 0, &from.any, &from.length), bytes, sizeof bytes, &from, 0);
    send_text(fd, "recvmsg");
    receive("recvmsg", fd, sizeof bytes, 0);
    send_text(fd, "recvmmsg");
    require(recvmmsg(fd, several, 1, 0, NULL) == 1);
    report("recvmmsg", several[0].msg_len, bytes, sizeof bytes, NULL, 0);
    expect_nothing_more(fd);
}

/* The kernel treats it as a socket without a peer. */
static void port_zero(char **arguments unused) {
    int fd = unconnected();
    far.v4.sin_port = 0;
    say("connect %s\n", outcome(connect(fd, &far.any, far.length)));
    say("peer %s\n", peer_of(fd));
}

SCENARIOS({"connected", connected_alone}, {"port-zero", port_zero})
