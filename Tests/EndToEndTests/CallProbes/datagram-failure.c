/* datagram-failure NAME HOST PORT: proxies that relay no datagrams. */
#include "datagram.h"

static const char *counted(ssize_t result) {
    static char text[24];
    if (result < 0) return outcome(result);
    snprintf(text, sizeof text, "%zd", result);
    return text;
}

static void silent(char **arguments unused) {
    int fd = socket(far.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0), plain = unconnected(), batch = unconnected();
    say("O_NONBLOCK sendto: %s\n", counted(sendto(fd, "x", 1, 0, &far.any, far.length)));
    say("again: %s\n", counted(sendto(fd, "x", 1, 0, &far.any, far.length)));
    say("MSG_DONTWAIT: %s\n", counted(sendto(plain, "x", 1, MSG_DONTWAIT, &far.any, far.length)));
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_name = &far.any, .msg_namelen = far.length, .msg_iov = &part, .msg_iovlen = 1};
    struct mmsghdr messages[2] = {{.msg_hdr = message}, {.msg_hdr = message}};
    say("sendmmsg: %s\n", counted(sendmmsg(batch, messages, 2, MSG_DONTWAIT)));
    say("recv: %s\n", counted(recv(fd, &(char){0}, 1, 0)));
    struct timeval limit = {0, 30000};
    int timed = unconnected();
    require(setsockopt(timed, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    say("SO_SNDTIMEO: %s\n", counted(sendto(timed, "x", 1, 0, &far.any, far.length)));
    say("again: %s\n", counted(sendto(timed, "x", 1, 0, &far.any, far.length)));
}

/* Each call has a socket of its own. */
static void refused(char **arguments unused) {
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_name = &far.any, .msg_namelen = far.length, .msg_iov = &part, .msg_iovlen = 1};
    struct mmsghdr messages[2] = {{.msg_hdr = message}, {.msg_hdr = message}};
    int count = descriptor_count(), fd = unconnected();
    say("sendmmsg: %s\n", counted(sendmmsg(fd, messages, 2, 0)));
    say("again: %s\n", counted(sendmmsg(fd, messages, 2, 0)));
    say("sendto: %s\n", counted(sendto(unconnected(), "x", 1, 0, &far.any, far.length)));
    say("sendmsg: %s\n", counted(sendmsg(unconnected(), &message, 0)));
    int waiting = socket(far.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ssize_t result;
    /* The first datagram may be accepted before the proxy has answered. */
    do result = sendto(waiting, "x", 1, 0, &far.any, far.length);
    while (result == 1);
    say("O_NONBLOCK: %s\n", counted(result));
    int connecting = unconnected();
    say("connect: %s\n", outcome(connect(connecting, &far.any, far.length)));
    say("sendto: %s\n", counted(sendto(connecting, "x", 1, 0, &far.any, far.length)));
    int error = -1;
    socklen_t length = sizeof error;
    require(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    /* On a connected socket the send has reported the error. */
    if (error == 0) require(getsockopt(connecting, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    say("SO_ERROR %d, descriptors +%d\n", error, descriptor_count() - count);
}

/* The proxy ends the association after each answer. A program that asks again, as every program must, gets an
 * answer. */
static void ended(char **arguments unused) {
    int fd = unconnected(), peer = connected();
    struct timeval limit = {0, 50000};
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    require(setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    for (int round = 0; round < 10; round++) {
        int used = round % 2 ? fd : peer;
        char bytes[16];
        ssize_t result;
        do {
            send_text(used, "asked");
            result = recv(used, bytes, sizeof bytes, 0);
            require(result == 5 || errno == EAGAIN);
        } while (result != 5);
        say("%.5s\n", bytes);
    }
}

SCENARIOS({"silent", silent}, {"refused", refused}, {"ended", ended})
