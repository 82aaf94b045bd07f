/* datagram-lengths CASE HOST PORT: sends lengths that no datagram has, and parts that cannot be read, to a server. */
#include "datagram.h"

#include <limits.h>

static const size_t lengths[] = {65508, 65536, INT_MAX, (size_t)1 << 62, SSIZE_MAX, (size_t)SSIZE_MAX + 1, SIZE_MAX};

static char bytes[70000];

static ssize_t send_parts(int fd, struct iovec *parts, size_t count, int flags) {
    struct msghdr message = {&far.any, far.length, parts, count, NULL, 0, 0};
    return sendmsg(fd, &message, flags);
}

static void send_all(int fd) {
    for (size_t index = 0; index < sizeof lengths / sizeof *lengths; index++) {
        size_t length = lengths[index];
        struct iovec parts[3] = {{bytes, 1}, {bytes, length}, {bytes, length}};
        struct mmsghdr message = {.msg_hdr = {&far.any, far.length, parts + 1, 1, NULL, 0, 0}};
        say("%zx: sendto %s,", length, outcome(sendto(fd, bytes, length, 0, &far.any, far.length)));
        say(" sendmsg %s,", outcome(send_parts(fd, parts + 1, 1, 0)));
        /* For parts that end beyond the process's memory the kernel returns EFAULT, if there are several parts. */
        if (length <= INT_MAX || length > SSIZE_MAX) {
            say(" of two %s,", outcome(send_parts(fd, parts + 1, 2, 0)));
            say(" of three %s,", outcome(send_parts(fd, parts, 3, MSG_DONTWAIT)));
        }
        say(" sendmmsg %s\n", outcome(sendmmsg(fd, &message, 1, 0)));
    }
    static struct iovec many[IOV_MAX + 1];
    say("parts: too many %s,", outcome(send_parts(fd, many, IOV_MAX + 1, 0)));
    say(" nowhere %s,", outcome(send_parts(fd, NULL, 1, 0)));
    say(" none %s\n", outcome(send_parts(fd, NULL, 0, 0)));
}

/* Before there is an association: an invalid datagram does not wait for one. */
static void first(int flags) {
    int fd = open_datagrams(far.any.sa_family);
    require(fcntl(fd, F_SETFL, flags) == 0);
    send_all(fd);
}

static void waiting(void) { first(0); }
static void not_waiting(void) { first(O_NONBLOCK); }

/* On a socket with an association; later datagrams arrive. */
static void later(void) {
    int fd = connected();
    require(send(fd, "one", 3, 0) == 3 && recv(fd, bytes, sizeof bytes, 0) == 3);
    send_all(fd);
    for (size_t index = 2; index < sizeof lengths / sizeof *lengths; index++) {
        struct iovec part = {bytes, lengths[index]};
        say("%zx: send %s,", lengths[index], outcome(send(fd, bytes, lengths[index], 0)));
        say(" writev %s\n", outcome(writev(fd, &part, 1)));
    }
}

/* A receive buffer may have any length that is not negative. */
static void receiving(void) {
    int fd = connected();
    for (size_t index = 0; index < sizeof lengths / sizeof *lengths; index++) {
        require(send(fd, "answer", 6, 0) == 6);
        require(poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1) == 1);
        struct iovec part = {bytes, lengths[index]};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        ssize_t result = recvmsg(fd, &message, MSG_DONTWAIT);
        say("%zx: recvmsg %zd %s\n", lengths[index], result, outcome(result));
        if (result < 0) require(recv(fd, bytes, sizeof bytes, 0) == 6);
    }
}

int main(int count, char **arguments) {
    require(count >= 4);
    alarm(40);
    far = numeric(arguments[2], arguments[3]);
    if (strcmp(arguments[1], "waiting") == 0) waiting();
    else if (strcmp(arguments[1], "not-waiting") == 0) not_waiting();
    else if (strcmp(arguments[1], "later") == 0) later();
    else if (strcmp(arguments[1], "receiving") == 0) receiving();
    else require(!"a case");
}
