/* direct HOST PORT: sockets that the proxy does not concern, and datagrams that must not bypass it. */
#include "probe.h"

static void tcp(const char *what, const char *host, const char *listen_at) {
    address at;
    int listening = listener(listen_at, "0", &at), accepted;
    char port[8];
    snprintf(port, sizeof port, "%d", ntohs(at.v4.sin_port));
    address to = numeric(host, port);
    int fd = stream(&to);
    int result = connect(fd, &to.any, to.length);
    say("%s: %s\n", what, outcome(result));
    if (result == 0) require((accepted = accept(listening, NULL, NULL)) >= 0 && close(accepted) == 0);
    close(fd);
    close(listening);
}

static void local_stream(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0socksify probe"};
    int listening = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    require(bind(listening, (struct sockaddr *)&name, sizeof name) == 0 && listen(listening, 1) == 0);
    say("AF_UNIX: %s\n", outcome(connect(fd, (struct sockaddr *)&name, sizeof name)));
}

static void datagrams(const char *what, const address *to) {
    int fd = socket(to->any.sa_family, SOCK_DGRAM, 0), connected = socket(to->any.sa_family, SOCK_DGRAM, 0);
    struct iovec data = {"x", 1};
    struct msghdr message = {
        .msg_name = (void *)&to->any, .msg_namelen = to->length, .msg_iov = &data, .msg_iovlen = 1};
    struct mmsghdr messages[2] = {{.msg_hdr = message}, {.msg_hdr = message}};
    say("%s sendto: %s\n", what, outcome(sendto(fd, "x", 1, 0, &to->any, to->length)));
    say("%s sendmsg: %s\n", what, outcome(sendmsg(fd, &message, 0)));
    int sent = sendmmsg(fd, messages, 2, 0);
    say("%s sendmmsg: %s %d\n", what, outcome(sent), sent);
    say("%s sendto by number: %s\n", what, outcome(syscall(SYS_sendto, fd, "x", 1, 0, &to->any, to->length)));
    say("%s connect: %s\n", what, outcome(connect(connected, &to->any, to->length)));
}

int main(int count, char **arguments) {
    require(count == 3);
    address far = numeric(arguments[1], arguments[2]);
    tcp("127.0.0.1", "127.0.0.1", "127.0.0.1");
    tcp("127.9.9.9", "127.9.9.9", "0.0.0.0");
    tcp("::1", "::1", "::1");
    tcp("::ffff:127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1");
    tcp("0.0.0.0", "0.0.0.0", "127.0.0.1");
    tcp("::", "::", "::1");
    local_stream();

    address here = numeric("127.0.0.1", "0");
    int receiving = socket(AF_INET, SOCK_DGRAM, 0);
    require(bind(receiving, &here.any, here.length) == 0);
    require(getsockname(receiving, &here.any, &here.length) == 0);
    datagrams("near", &here);
    char byte;
    int received = 0;
    while (recv(receiving, &byte, 1, MSG_DONTWAIT) == 1) received++;
    say("near received %d\n", received);

    datagrams("far", &far);
    /* The datagrams before the refused one are sent. */
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct iovec data = {"x", 1};
    struct mmsghdr mixed[2] = {
        {.msg_hdr = {.msg_name = &here.any, .msg_namelen = here.length, .msg_iov = &data, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_name = &far.any, .msg_namelen = far.length, .msg_iov = &data, .msg_iovlen = 1}}};
    say("mixed sendmmsg %d\n", sendmmsg(fd, mixed, 2, 0));
}
