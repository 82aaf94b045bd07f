/* datagram-options NAME HOST PORT: sizes, control messages, options, and refused values. */
#include "datagram.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/udp.h>
#include <sys/sendfile.h>

/* sizes LIMIT: the largest datagram that the socket sends, and one byte more. */
static void sizes(char **arguments) {
    int fd = unconnected();
    static char bytes[70000];
    memset(bytes, 'x', sizeof bytes);
    size_t limit = (size_t)atoi(arguments[0]);
    require(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){1 << 20}, sizeof(int)) == 0);
    say("one more: %s\n", outcome(sendto(fd, bytes, limit + 1, 0, &far.any, far.length)));
    say("largest: %s\n", sendto(fd, bytes, limit, 0, &far.any, far.length) == (ssize_t)limit ? "sent" : outcome(-1));
    static char answer[70000];
    say("received: %s\n", recv(fd, answer, sizeof answer, 0) == (ssize_t)limit ? "all" : "not all");
    say("bytes: %s\n", memcmp(answer, bytes, limit) == 0 ? "right" : "wrong");
    say("one more: %s\n", outcome(sendto(fd, bytes, limit + 1, 0, &far.any, far.length)));
    say("far more: %s\n", outcome(sendto(fd, bytes, 70000, 0, &far.any, far.length)));
    /* In parts, and to the peer. */
    require(connect(fd, &far.any, far.length) == 0);
    struct iovec parts[2] = {{bytes, 1000}, {bytes + 1000, limit - 1000}};
    say("writev: %s\n", writev(fd, parts, 2) == (ssize_t)limit ? "sent" : outcome(-1));
    parts[1].iov_len++;
    say("writev of one more: %s\n", outcome(writev(fd, parts, 2)));
    say("received: %s\n", recv(fd, answer, sizeof answer, MSG_TRUNC) == (ssize_t)limit ? "all" : "not all");
    expect_nothing_more(fd);
}

static void control_messages(char **arguments unused) {
    int fd = unconnected(), is_ipv6 = far.any.sa_family == AF_INET6;
    if (is_ipv6) {
        require(setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &(int){1}, sizeof(int)) == 0);
        require(setsockopt(fd, SOL_IPV6, IPV6_RECVHOPLIMIT, &(int){1}, sizeof(int)) == 0);
        require(setsockopt(fd, SOL_IPV6, IPV6_RECVTCLASS, &(int){1}, sizeof(int)) == 0);
    } else {
        require(setsockopt(fd, SOL_IP, IP_PKTINFO, &(int){1}, sizeof(int)) == 0);
        require(setsockopt(fd, SOL_IP, IP_RECVTTL, &(int){1}, sizeof(int)) == 0);
        require(setsockopt(fd, SOL_IP, IP_RECVTOS, &(int){1}, sizeof(int)) == 0);
    }
    require(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &(int){1}, sizeof(int)) == 0);
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } given = {.header = {CMSG_LEN(sizeof(int)), is_ipv6 ? SOL_IPV6 : SOL_IP, is_ipv6 ? IPV6_HOPLIMIT : IP_TTL}};
    memcpy(CMSG_DATA(&given.header), &(int){33}, sizeof(int));
    struct iovec part = {"with a TTL", 10};
    struct msghdr message = {.msg_name = &far.any, .msg_namelen = far.length, .msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = &given, .msg_controllen = sizeof given};
    say("sendmsg: %zd\n", sendmsg(fd, &message, 0));
    char bytes[20], controls[256];
    struct iovec room = {bytes, sizeof bytes};
    for (int round = 0; round < 2; round++) {
        address from = {0};
        struct msghdr answer = {.msg_name = &from.any, .msg_namelen = sizeof from.storage, .msg_iov = &room,
            .msg_iovlen = 1, .msg_control = controls, .msg_controllen = round == 0 ? sizeof controls : 20};
        ssize_t result = recvmsg(fd, &answer, 0);
        from.length = answer.msg_namelen;
        report("recvmsg", result, bytes, sizeof bytes, &from, answer.msg_flags);
        if (round > 0) break;
        for (struct cmsghdr *header = CMSG_FIRSTHDR(&answer); header; header = CMSG_NXTHDR(&answer, header))
            say("control %d %d of %zu bytes\n", header->cmsg_level, header->cmsg_type, header->cmsg_len);
        send_text(fd, "cut");
    }
    /* A control message for another kind of socket. */
    given.header.cmsg_type = 77;
    say("wrong control: %s\n", outcome(sendmsg(fd, &message, 0)));
}

static void refuse(int fd, int rounds) {
    say("UDP_SEGMENT: %s\n", outcome(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &(int){1000}, sizeof(int))));
    say("UDP_GRO: %s\n", outcome(setsockopt(fd, SOL_UDP, UDP_GRO, &(int){1}, sizeof(int))));
    say("UDP_CORK: %s\n", outcome(setsockopt(fd, SOL_UDP, UDP_CORK, &(int){1}, sizeof(int))));
    for (int round = 0; round < rounds; round++) {
        union {
            char bytes[CMSG_SPACE(sizeof(short))];
            struct cmsghdr header;
        } given = {.header = {CMSG_LEN(sizeof(short)), SOL_UDP, UDP_SEGMENT}};
        memcpy(CMSG_DATA(&given.header), &(short){3}, sizeof(short));
        struct iovec part = {"cut me", 6};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &given, .msg_controllen = sizeof given};
        say("control UDP_SEGMENT: %s\n", outcome(sendmsg(fd, &message, 0)));
        say("control UDP_SEGMENT, not waiting: %s\n", outcome(sendmsg(fd, &message, MSG_DONTWAIT)));
        struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}, {.msg_hdr = message}};
        say("sendmmsg up to it: %d\n", sendmmsg(fd, messages, 2, 0));
        say("MSG_MORE: %s\n", outcome(send(fd, "x", 1, MSG_MORE)));
        say("MSG_MORE, not waiting: %s\n", outcome(send(fd, "x", 1, MSG_MORE | MSG_DONTWAIT)));
        say("MSG_ZEROCOPY: %s\n", outcome(send(fd, "x", 1, MSG_ZEROCOPY)));
        wait_readable(fd);
        receive("of sendmmsg", fd, 10, 0);
    }
}

/* On a socket with a relay, and on one without. */
static void refusals(char **arguments unused) {
    int fd = connected();
    refuse(fd, 2);
    int file = open("/proc/self/exe", O_RDONLY), pipes[2];
    require(file >= 0 && pipe(pipes) == 0 && write(pipes[1], "x", 1) == 1);
    say("sendfile: %s\n", outcome(sendfile(fd, file, NULL, 10)));
    say("splice to it: %s\n", outcome(splice(pipes[0], NULL, fd, NULL, 1, 0)));
    send_text(fd, "here");
    wait_readable(fd);
    say("splice from it: %s\n", outcome(splice(fd, NULL, pipes[1], NULL, 1, 0)));
    receive("recvmsg", fd, 10, 0);
    expect_nothing_more(fd);
}

static void refusals_at_first(char **arguments unused) {
    int fd = connected();
    require(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    refuse(fd, 1);
    require(fcntl(fd, F_SETFL, 0) == 0);
    expect_nothing_more(fd);
}

static int port_of(int fd) {
    address name = {.length = sizeof name.storage};
    require(getsockname(fd, &name.any, &name.length) == 0 && name.any.sa_family == far.any.sa_family);
    return ntohs(name.v4.sin_port);
}

static void names_and_options(char **arguments unused) {
    int fd = unconnected();
    address name = {.length = sizeof name.storage};
    require(getsockname(fd, &name.any, &name.length) == 0);
    say("at first port %d\n", ntohs(name.v4.sin_port));
    send_text(fd, "x");
    int port = port_of(fd);
    say("then %s\n", port > 0 ? "another" : "none");
    receive("recvmsg", fd, 10, 0);
    require(connect(fd, &far.any, far.length) == 0);
    say("connected: %s\n", port_of(fd) == port ? "the same" : "another");
    send_text(fd, "y");
    receive("recvmsg", fd, 10, 0);
    int type = 0, error = 1;
    socklen_t length = sizeof type;
    require(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0);
    require(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    say("SO_TYPE %d SO_ERROR %d\n", type, error);
    say("flags %d %d\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));

    /* Bound to a port that the program chose. */
    address any = numeric(far.any.sa_family == AF_INET ? "0.0.0.0" : "::", "0");
    int bound = unconnected(), shared = unconnected();
    require(setsockopt(bound, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)) == 0);
    require(setsockopt(shared, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)) == 0);
    require(bind(bound, &any.any, any.length) == 0 && getsockname(bound, &any.any, &any.length) == 0);
    send_text(bound, "from the bound port");
    receive("recvmsg", bound, 30, 0);
    say("bound: %s\n", ntohs(any.v4.sin_port) == port_of(bound) ? "the same" : "another");
    require(connect(bound, &far.any, far.length) == 0);
    say("shared: %s\n", outcome(bind(shared, &any.any, any.length)));
    close(shared);
    send_text(bound, "z");
    receive("recvmsg", bound, 30, 0);
}

/* A socket can ask for ICMP errors (ip(7), IP_RECVERR); a relay causes none. */
static void error_queue(char **arguments unused) {
    int fd = connected();
    require(setsockopt(fd, SOL_IP, IP_RECVERR, &(int){1}, sizeof(int)) == 0);
    receive("MSG_ERRQUEUE", fd, 10, MSG_ERRQUEUE);
    send_text(fd, "x");
    receive("recvmsg", fd, 10, 0);
    receive("MSG_ERRQUEUE", fd, 10, MSG_ERRQUEUE);
    require(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING,
                       &(int){SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE}, sizeof(int)) == 0);
    send_text(fd, "sent when?");
    char bytes[200] = {0}, controls[256];
    struct iovec room = {bytes, sizeof bytes};
    struct msghdr answer = {
        .msg_iov = &room, .msg_iovlen = 1, .msg_control = controls, .msg_controllen = sizeof controls};
    ssize_t result = recvmsg(fd, &answer, MSG_ERRQUEUE);
    say("MSG_ERRQUEUE: %s, flags %s\n", result >= 0 ? "something" : outcome(result),
        answer.msg_flags & MSG_ERRQUEUE ? "MSG_ERRQUEUE" : "0");
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&answer); header; header = CMSG_NXTHDR(&answer, header))
        say("control %d %d\n", header->cmsg_level, header->cmsg_type);
    /* An answer has a time stamp of its own while any socket of the machine takes time stamps, so the test asks for
     * none. */
    require(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &(int){0}, sizeof(int)) == 0);
    receive("recvmsg", fd, 10, 0);
}

SCENARIOS({"sizes", sizes}, {"control", control_messages}, {"refusals", refusals},
          {"refusals-at-first", refusals_at_first}, {"names", names_and_options}, {"errors", error_queue})
