/* datagram-relay NAME HOST PORT: what a relay and other senders may send. */
#include "datagram.h"

#include <sys/ioctl.h>

/* Other datagrams than the answers are not visible, and not counted. */
static void answers(char **arguments unused) {
    int fd = unconnected(), peer = connected(), unread = -1;
    for (int round = 0; round < 3; round++) {
        send_text(fd, "unconnected");
        receive("recvmsg", fd, 64, 0);
        require(send(peer, "connected", 9, 0) == 9);
        receive("recvmsg", peer, 64, 0);
    }
    send_text(fd, "counted");
    wait_readable(fd);
    do require(ioctl(fd, FIONREAD, &unread) == 0);
    while (unread == 0);
    say("FIONREAD %d\n", unread);
    receive("MSG_PEEK", fd, 64, MSG_PEEK);
    receive("recvmsg", fd, 64, MSG_DONTWAIT);
    struct mmsghdr message = {0};
    char bytes[64];
    struct iovec part = {bytes, sizeof bytes};
    message.msg_hdr.msg_iov = &part, message.msg_hdr.msg_iovlen = 1;
    send_text(fd, "by recvmmsg");
    int received = recvmmsg(fd, &message, 1, 0, NULL);
    say("recvmmsg: %d %.*s\n", received, (int)message.msg_len, bytes);
}

/* large SIZE: datagrams from the server, in fragments. */
static void fragments(char **arguments unused) {
    int fd = unconnected();
    for (int round = 0; round < 3; round++) {
        send_text(fd, "give 3000");
        receive("recvmsg", fd, 4000, 0);
    }
    send_text(fd, "give 2000");
    receive("MSG_PEEK", fd, 4000, MSG_PEEK);
    receive("MSG_PEEK", fd, 4000, MSG_PEEK);
    receive("recvmsg", fd, 4000, 0);
    expect_nothing_more(fd);
}

/* Some fragments of the first datagram are missing; the next datagram is complete. */
static void broken_fragments(char **arguments unused) {
    int fd = unconnected();
    send_text(fd, "give 3000");
    send_text(fd, "give 2000");
    receive("recvmsg", fd, 4000, 0);
}

/* Datagrams of 100 bytes and more, to be sent in fragments. */
static void sending_fragments(char **arguments unused) {
    int fd = unconnected();
    static char bytes[30000];
    for (size_t index = 0; index < sizeof bytes; index++) bytes[index] = (char)('a' + index % 23);
    static const size_t sizes[] = {1, 1000, 1001, 2000, 3001, 30000};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        static char answer[30000];
        ssize_t sent = sendto(fd, bytes, sizes[index], 0, &far.any, far.length);
        ssize_t received = recv(fd, answer, sizeof answer, 0);
        say("%zd %zd %s\n", sent, received, memcmp(bytes, answer, (size_t)received) == 0 ? "right" : "wrong");
    }
}

/* Another sender than the relay: the program receives its datagrams only if it reaches the sender directly. */
static void strangers(char **arguments) {
    address own = {.length = sizeof own.storage}, here = numeric(arguments[0], "0");
    int fd = unconnected(), stranger = open_datagrams(here.any.sa_family);
    send_text(fd, "first");
    receive("recvmsg", fd, 64, 0);
    require(getsockname(fd, &own.any, &own.length) == 0);
    address to = here;
    to.v4.sin_port = own.v4.sin_port;
    require(bind(stranger, &here.any, here.length) == 0);
    require(sendto(stranger, "stranger", 8, 0, &to.any, to.length) == 8);
    receive("MSG_DONTWAIT", fd, 64, MSG_DONTWAIT);
    /* A datagram with a relay's header. */
    require(sendto(stranger, "\0\0\0\1\1\2\3\4\5\6seems", 15, 0, &to.any, to.length) == 15);
    receive("MSG_DONTWAIT", fd, 15, MSG_DONTWAIT);
    send_text(fd, "last");
    receive("recvmsg", fd, 64, 0);
}

SCENARIOS({"answers", answers}, {"fragments", fragments}, {"broken", broken_fragments}, {"sending", sending_fragments},
          {"strangers", strangers})
