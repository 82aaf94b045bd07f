/* datagram-calls NAME HOST PORT: tests each call that sends or receives a datagram. */
#include "datagram.h"

#include "raw.h"
#include "ticks.h"

static void sendto_and_recvfrom(char **arguments unused) {
    int fd = unconnected();
    say("sendto: %zd\n", sendto(fd, "by sendto", 9, 0, &far.any, far.length));
    char bytes[64];
    address from = {.length = sizeof from.storage};
    ssize_t result = recvfrom(fd, bytes, sizeof bytes, 0, &from.any, &from.length);
    report("recvfrom", result, bytes, sizeof bytes, &from, 0);
    send_text(fd, "without asking for the source");
    report("recvfrom", recvfrom(fd, bytes, sizeof bytes, 0, NULL, NULL), bytes, sizeof bytes, NULL, 0);
    /* The kernel truncates a source address to the given room, and returns its true length. */
    send_text(fd, "cut");
    from = (address){.length = 4};
    report("recvfrom", recvfrom(fd, bytes, sizeof bytes, 0, &from.any, &from.length), bytes, sizeof bytes, NULL, 0);
    say("source: length %s, family %s, port %d, rest %s\n", from.length == far.length ? "whole" : "cut",
        from.any.sa_family == far.any.sa_family ? "right" : "wrong", from.v4.sin_port == far.v4.sin_port,
        from.v4.sin_addr.s_addr == 0 ? "untouched" : "overwritten");
    say("peer %s\n", peer_of(fd));
}

/* udp(7) takes AF_UNSPEC for AF_INET on a socket of IPv4, and for no address on one of IPv6. */
static void of_no_family(char **arguments unused) {
    int fd = unconnected();
    address to = far;
    to.any.sa_family = AF_UNSPEC;
    char bytes[64];
    for (int round = 0; round < 2; round++) {
        say("sendto: %s\n", outcome(sendto(fd, "to none", 7, 0, &to.any, to.length)));
        struct iovec part = {"to none", 7};
        struct mmsghdr message = {.msg_hdr = {
            .msg_name = &to.any, .msg_namelen = to.length, .msg_iov = &part, .msg_iovlen = 1}};
        say("sendmsg: %s\n", outcome(sendmsg(fd, &message.msg_hdr, 0)));
        say("sendmmsg: %s\n", outcome(sendmmsg(fd, &message, 1, 0)));
        for (int count = far.any.sa_family == AF_INET ? 3 : 0; count > 0; count--) {
            address from = {.length = sizeof from.storage};
            ssize_t result = recvfrom(fd, bytes, sizeof bytes, 0, &from.any, &from.length);
            report("recvfrom", result, bytes, sizeof bytes, &from, 0);
        }
        /* A socket that has sent to a host, and then a connected socket. */
        send_text(fd, "to one");
        receive("recvmsg", fd, 16, 0);
    }
    /* With a mapped peer the kernel finds no route. */
    if (far.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&far.v6.sin6_addr)) return;
    require(connect(fd, &far.any, far.length) == 0);
    say("sendto: %s\n", outcome(sendto(fd, "to none", 7, 0, &to.any, to.length)));
    receive("recvmsg", fd, 16, 0);
}

static void sendmsg_and_recvmsg(char **arguments unused) {
    int fd = unconnected();
    struct iovec parts[3] = {{"in ", 3}, {NULL, 0}, {"parts", 5}};
    struct msghdr message = {.msg_name = &far.any, .msg_namelen = far.length, .msg_iov = parts, .msg_iovlen = 3};
    say("sendmsg: %zd\n", sendmsg(fd, &message, 0));
    char bytes[4][4];
    memset(bytes, '-', sizeof bytes);
    struct iovec rooms[5] = {{bytes[0], 1}, {bytes[1], 2}, {NULL, 0}, {bytes[2], 3}, {bytes[3], 4}};
    address from = {0};
    struct msghdr answer = {
        .msg_name = &from.any, .msg_namelen = sizeof from.storage, .msg_iov = rooms, .msg_iovlen = 5};
    ssize_t result = recvmsg(fd, &answer, 0);
    from.length = answer.msg_namelen;
    say("recvmsg: %zd \"%.4s\" \"%.4s\" \"%.4s\" \"%.4s\" from %s flags %d control %zu\n", result, bytes[0], bytes[1],
        bytes[2], bytes[3], source_of(&from), answer.msg_flags, answer.msg_controllen);
}

static void sendmmsg_and_recvmmsg(char **arguments unused) {
    int fd = unconnected();
    struct iovec parts[4] = {{"one", 3}, {"two", 3}, {"three", 5}, {"", 0}};
    struct mmsghdr messages[4];
    for (int index = 0; index < 4; index++)
        messages[index] = (struct mmsghdr){.msg_hdr = {
            .msg_name = &far.any, .msg_namelen = far.length, .msg_iov = &parts[index], .msg_iovlen = 1}};
    int sent = sendmmsg(fd, messages, 4, 0);
    say("sendmmsg: %d lengths %u %u %u %u\n", sent, messages[0].msg_len, messages[1].msg_len, messages[2].msg_len,
        messages[3].msg_len);
    char bytes[4][16];
    address from[4];
    struct iovec rooms[4];
    struct mmsghdr answers[4];
    for (int index = 0; index < 4; index++) {
        rooms[index] = (struct iovec){bytes[index], sizeof bytes[index]};
        answers[index] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[index].any,
            .msg_namelen = sizeof from[index].storage, .msg_iov = &rooms[index], .msg_iovlen = 1}};
    }
    int received = recvmmsg(fd, answers, 4, 0, NULL);
    say("recvmmsg: %d\n", received);
    for (int index = 0; index < received; index++) {
        from[index].length = answers[index].msg_hdr.msg_namelen;
        report("message", answers[index].msg_len, bytes[index], sizeof bytes[index], &from[index],
               answers[index].msg_hdr.msg_flags);
    }
    /* The call asks for more datagrams than exist; one is enough. */
    send_text(fd, "alone");
    received = recvmmsg(fd, answers, 4, MSG_WAITFORONE, NULL);
    say("recvmmsg MSG_WAITFORONE: %d of length %u\n", received, answers[0].msg_len);
    say("recvmmsg MSG_DONTWAIT: %s\n", outcome(recvmmsg(fd, answers, 4, MSG_DONTWAIT, NULL)));
    struct timespec none = {0, 1};
    send_text(fd, "one");
    send_text(fd, "two");
    wait_readable(fd);
    say("recvmmsg with a limit: %s\n", recvmmsg(fd, answers, 1, 0, &none) == 1 ? "1" : outcome(-1));
    say("recvmmsg of none: %d\n", recvmmsg(fd, answers, 0, 0, NULL));
    receive("recvmsg", fd, 16, 0);
}

/* More datagrams than the kernel takes in one call. */
static void sendmmsg_of_many(char **arguments unused) {
    int fd = connected();
    enum { COUNT = 100, PARTS = 5 };
    static char texts[COUNT][PARTS][2];
    static struct iovec parts[COUNT][PARTS];
    static struct mmsghdr messages[COUNT];
    for (int index = 0; index < COUNT; index++) {
        for (int part = 0; part < PARTS; part++) {
            texts[index][part][0] = (char)('a' + index % 26);
            parts[index][part] = (struct iovec){texts[index][part], 1};
        }
        messages[index] = (struct mmsghdr){.msg_hdr = {.msg_iov = parts[index], .msg_iovlen = PARTS}};
    }
    say("sendmmsg: %d\n", sendmmsg(fd, messages, COUNT, 0));
    static char bytes[COUNT][PARTS + 1];
    static struct iovec rooms[COUNT][2];
    static struct mmsghdr answers[COUNT];
    for (int index = 0; index < COUNT; index++) {
        rooms[index][0] = (struct iovec){bytes[index], 2};
        rooms[index][1] = (struct iovec){bytes[index] + 2, PARTS - 2};
        answers[index] = (struct mmsghdr){.msg_hdr = {.msg_iov = rooms[index], .msg_iovlen = 2}};
    }
    say("recvmmsg: %d\n", recvmmsg(fd, answers, COUNT, 0, NULL));
    int wrong = 0;
    for (int index = 0; index < COUNT; index++) {
        char letter = (char)('a' + index % 26), whole[PARTS + 1] = {letter, letter, letter, letter, letter};
        wrong += answers[index].msg_len != PARTS || strcmp(bytes[index], whole) != 0;
    }
    say("%d wrong or out of order\n", wrong);
}

static void on_connected(char **arguments unused) {
    int fd = connected();
    char bytes[64];
    say("peer %s\n", strcmp(peer_of(fd), text_of(&far.any)) == 0 ? "as connected to" : peer_of(fd));
    say("send: %zd\n", send(fd, "by send", 7, 0));
    report("recv", recv(fd, bytes, sizeof bytes, 0), bytes, sizeof bytes, NULL, 0);
    say("write: %zd\n", write(fd, "by write", 8));
    report("read", read(fd, bytes, sizeof bytes), bytes, sizeof bytes, NULL, 0);
    struct iovec parts[2] = {{"by wri", 6}, {"tev", 3}}, rooms[2] = {{bytes, 4}, {bytes + 4, 60}};
    say("writev: %zd\n", writev(fd, parts, 2));
    report("readv", readv(fd, rooms, 2), bytes, sizeof bytes, NULL, 0);
    say("pwritev2: %zd\n", pwritev2(fd, parts, 2, -1, 0));
    report("preadv2", preadv2(fd, rooms, 2, -1, 0), bytes, sizeof bytes, NULL, 0);
    say("sendto without address: %zd\n", sendto(fd, "x", 1, 0, NULL, 0));
    receive("recvmsg", fd, 64, 0);
    say("sendto with address: %zd\n", sendto(fd, "y", 1, 0, &far.any, far.length));
    receive("recvmsg", fd, 64, 0);
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    say("sendmsg: %zd\n", sendmsg(fd, &message, 0));
    receive("recvmsg", fd, 64, 0);
    say("send by number: %ld\n", syscall(SYS_sendto, fd, "by number", 9, 0, NULL, 0));
    long result = syscall(SYS_recvfrom, fd, bytes, sizeof bytes, 0, NULL, NULL);
    report("recvfrom by number", result, bytes, sizeof bytes, NULL, 0);
    int error = -1;
    socklen_t length = sizeof error;
    require(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    say("SO_ERROR %d\n", error);
}

static void not_connected(char **arguments unused) {
    int fd = unconnected();
    say("send: %s\n", outcome(send(fd, "x", 1, 0)));
    send_text(fd, "first");
    receive("recvmsg", fd, 64, 0);
    say("send: %s\n", outcome(send(fd, "x", 1, 0)));
    say("write: %s\n", outcome(write(fd, "x", 1)));
    say("peer %s\n", peer_of(fd));
    say("sendto a wrong address: %s\n", outcome(sendto(fd, "x", 1, 0, &far.any, 3)));
    struct sockaddr_un other = {.sun_family = AF_UNIX};
    say("sendto another family: %s\n", outcome(sendto(fd, "x", 1, 0, (void *)&other, sizeof other)));
    expect_nothing_more(fd);
}

static void errors_of_arguments(char **arguments unused) {
    int fd = connected();
    send_text(fd, "first");
    receive("recvmsg", fd, 64, 0);
    void *volatile nowhere = (void *)8;
    volatile int less_than_none = -1;
    say("send from nowhere: %s\n", outcome(send(fd, nowhere, 10, 0)));
    struct iovec part = {nowhere, 10};
    say("writev from nowhere: %s\n", outcome(writev(fd, &part, 1)));
    say("writev of parts nowhere: %s\n", outcome(writev(fd, nowhere, 1)));
    static struct iovec many[1025];
    struct msghdr message = {.msg_iov = many, .msg_iovlen = 1025};
    say("sendmsg of too many parts: %s\n", outcome(sendmsg(fd, &message, 0)));
    say("writev of too many parts: %s\n", outcome(writev(fd, many, 1025)));
    say("writev of less than none: %s\n", outcome(writev(fd, many, less_than_none)));
    say("recv MSG_DONTWAIT: %s\n", outcome(recv(fd, &part, 0, MSG_DONTWAIT)));
    say("sendto an address nowhere: %s\n", outcome(sendto(fd, "x", 1, 0, nowhere, far.length)));
    say("sendmsg nowhere: %s\n", outcome(sendmsg(fd, nowhere, 0)));
    say("recvmsg nowhere: %s\n", outcome(recvmsg(fd, nowhere, MSG_DONTWAIT)));
    say("MSG_OOB: %s\n", outcome(send(fd, "x", 1, MSG_OOB)));
    expect_nothing_more(fd);
}

/* The descriptor of a relayed socket now belongs to another one, whose bytes are no datagram. */
static void closed_unseen(char **arguments unused) {
    int fd = connected(), pair[2];
    static char bytes[70000];
    send_text(fd, "first");
    receive("recvmsg", fd, 64, 0);
    require(raw(SYS_close, fd, 0, 0, 0, 0) == 0);
    require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pair[0] == fd);
    wait_for_ticks();
    say("send: %zd\n", send(fd, bytes, sizeof bytes, MSG_DONTWAIT));
}

SCENARIOS({"sendto", sendto_and_recvfrom}, {"sendmsg", sendmsg_and_recvmsg}, {"sendmmsg", sendmmsg_and_recvmmsg},
          {"many", sendmmsg_of_many}, {"connected", on_connected}, {"unconnected", not_connected},
          {"arguments", errors_of_arguments}, {"no-family", of_no_family},
          {"closed-unseen", closed_unseen})
