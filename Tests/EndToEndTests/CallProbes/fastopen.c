/* fastopen HOST PORT: data that are sent with the connection (MSG_FASTOPEN and the like). */
#include "probe.h"

static const char message[] = "sent with the connection";

static void expect_echo(const char *what, int fd, ssize_t sent) {
    char answer[sizeof message];
    say("%s: %s %zd of %zu\n", what, outcome(sent), sent, sizeof message);
    if (sent != sizeof message) return;
    require(read_all(fd, answer, sizeof answer));
    say("%s: %s\n", what, memcmp(answer, message, sizeof message) == 0 ? "echoed" : "another answer");
    close(fd);
}

int main(int count, char **arguments) {
    require(count == 3);
    address to = numeric(arguments[1], arguments[2]);
    int fd = stream(&to);
    expect_echo("sendto", fd, sendto(fd, message, sizeof message, MSG_FASTOPEN, &to.any, to.length));

    struct iovec parts[2] = {{(void *)message, 4}, {(void *)(message + 4), sizeof message - 4}};
    struct msghdr whole = {.msg_name = &to.any, .msg_namelen = to.length, .msg_iov = parts, .msg_iovlen = 2};
    fd = stream(&to);
    expect_echo("sendmsg", fd, sendmsg(fd, &whole, MSG_FASTOPEN));

    struct mmsghdr one = {.msg_hdr = whole};
    fd = stream(&to);
    int sent = sendmmsg(fd, &one, 1, MSG_FASTOPEN);
    expect_echo("sendmmsg", fd, sent == 1 ? (ssize_t)one.msg_len : sent);

    fd = stream(&to);
    require(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){1}, sizeof(int)) == 0);
    say("TCP_FASTOPEN_CONNECT: %s\n", outcome(connect(fd, &to.any, to.length)));
    expect_echo("TCP_FASTOPEN_CONNECT", fd, write(fd, message, sizeof message));

    /* The kernel ignores the address of a send on a connected stream. */
    fd = stream(&to);
    require(connect(fd, &to.any, to.length) == 0);
    expect_echo("connected", fd, sendto(fd, message, sizeof message, 0, &to.any, to.length));
}
