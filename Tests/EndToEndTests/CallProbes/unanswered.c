/* unanswered CASE HOST PORT [before]: prints what a program sees of a destination behind the proxy when its own
 * filter refuses getsockopt(2), by which the library asks what a socket is. With `before` there was a connection,
 * and a datagram, before the filter. */
#include "filter.h"
#include "ticks.h"

static address target;

static void try_stream(void) {
    int fd = socket(target.any.sa_family, SOCK_STREAM, 0);
    say("connect %s\n", outcome(connect(fd, &target.any, target.length)));
    say("send %s\n", outcome(send(fd, "x", 1, MSG_NOSIGNAL)));
}

static void try_datagram(int fd) {
    struct iovec part = {"x", 1};
    struct msghdr message = {&target.any, target.length, &part, 1, NULL, 0, 0};
    struct mmsghdr several = {.msg_hdr = message};
    say("sendto %s\n", outcome(sendto(fd, "x", 1, 0, &target.any, target.length)));
    say("sendmsg %s\n", outcome(sendmsg(fd, &message, 0)));
    say("sendmmsg %s\n", outcome(sendmmsg(fd, &several, 1, 0)));
}

int main(int count, char **arguments) {
    require(count >= 4);
    alarm(30);
    target = numeric(arguments[2], arguments[3]);
    int datagrams = socket(target.any.sa_family, SOCK_DGRAM, 0);
    require(datagrams >= 0);
    if (count > 4) {
        int fd = stream(&target);
        require(connect(fd, &target.any, target.length) == 0 && close(fd) == 0);
        require(sendto(datagrams, "x", 1, 0, &target.any, target.length) == 1);
        wait_for_ticks();
    }
    refuse_call(SYS_getsockopt);
    if (strcmp(arguments[1], "stream") == 0) {
        try_stream();
    } else {
        /* A socket with a relay, and one without. */
        if (count > 4) try_datagram(datagrams);
        try_datagram(socket(target.any.sa_family, SOCK_DGRAM, 0));
    }
    close(datagrams);
}
