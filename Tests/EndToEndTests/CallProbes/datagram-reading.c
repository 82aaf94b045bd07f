/* datagram-reading NAME HOST PORT: how much of a datagram a call receives, and what it reports about the rest. */
#include "datagram.h"

#include <sys/ioctl.h>

static void peeking(char **arguments unused) {
    int fd = unconnected();
    send_text(fd, "first datagram");
    send_text(fd, "second");
    receive("MSG_PEEK", fd, 64, MSG_PEEK);
    receive("MSG_PEEK again", fd, 5, MSG_PEEK);
    receive("MSG_PEEK | MSG_TRUNC", fd, 5, MSG_PEEK | MSG_TRUNC);
    receive("MSG_PEEK of nothing", fd, 0, MSG_PEEK | MSG_TRUNC);
    receive("taken", fd, 64, 0);
    receive("MSG_PEEK", fd, 64, MSG_PEEK);
    receive("taken", fd, 64, 0);
    receive("MSG_PEEK | MSG_DONTWAIT", fd, 64, MSG_PEEK | MSG_DONTWAIT);
}

static void truncation(char **arguments unused) {
    int fd = unconnected();
    static const int flags[] = {0, MSG_TRUNC, MSG_WAITALL};
    static const char *const names[] = {"", " MSG_TRUNC", " MSG_WAITALL"};
    static const size_t rooms[] = {11, 10, 9, 1, 0};
    for (size_t index = 0; index < sizeof rooms / sizeof *rooms; index++)
        for (int kind = 0; kind < 3; kind++) {
            send_text(fd, "ten bytes!");
            char what[40];
            snprintf(what, sizeof what, "room %zu%s", rooms[index], names[kind]);
            receive(what, fd, rooms[index], flags[kind]);
        }
    char bytes[12] = {0};
    send_text(fd, "ten bytes!");
    say("recv MSG_TRUNC of nothing: %zd\n", recv(fd, NULL, 0, MSG_TRUNC));
    send_text(fd, "ten bytes!");
    say("recvfrom: %zd", recvfrom(fd, bytes, 3, 0, NULL, NULL));
    say(" \"%s\"\n", bytes);
    expect_nothing_more(fd);
}

/* The memory after the buffer stays unchanged. */
static void parts(char **arguments unused) {
    int fd = unconnected();
    for (int flags = 0; flags <= MSG_PEEK; flags += MSG_PEEK)
        for (size_t size = 0; size <= 7; size++) {
            send_text(fd, "abcdef");
            char bytes[3][8];
            memset(bytes, '-', sizeof bytes);
            size_t last = size > 3 ? size - 3 : 0, middle = size > 3 ? 2 : size > 1 ? size - 1 : 0;
            struct iovec rooms[4] = {{bytes[0], size > 0}, {bytes[1], middle}, {NULL, 0}, {bytes[2], last}};
            struct msghdr message = {.msg_iov = rooms, .msg_iovlen = 4};
            ssize_t result = recvmsg(fd, &message, flags);
            say("room %zu: %zd %.8s %.8s %.8s%s\n", size, result, bytes[0], bytes[1], bytes[2],
                message.msg_flags & MSG_TRUNC ? " MSG_TRUNC" : "");
            if (flags) require(recv(fd, bytes, sizeof bytes, 0) == 6);
        }
}

/* By recvmmsg(2), each with a buffer of another size. */
static void several(char **arguments unused) {
    int fd = unconnected();
    static const char *const texts[] = {"one", "two and more", "", "four"};
    for (int index = 0; index < 4; index++) send_text(fd, texts[index]);
    char bytes[4][8];
    memset(bytes, '-', sizeof bytes);
    struct iovec rooms[4] = {{bytes[0], 8}, {bytes[1], 5}, {bytes[2], 8}, {bytes[3], 0}};
    struct mmsghdr messages[4];
    memset(messages, 0, sizeof messages);
    for (int index = 0; index < 4; index++)
        messages[index].msg_hdr.msg_iov = &rooms[index], messages[index].msg_hdr.msg_iovlen = 1;
    int received = recvmmsg(fd, messages, 4, 0, NULL);
    say("recvmmsg: %d\n", received);
    for (int index = 0; index < received; index++)
        say("%u %.8s flags %s\n", messages[index].msg_len, bytes[index],
            messages[index].msg_hdr.msg_flags & MSG_TRUNC ? "MSG_TRUNC" : "0");
}

static void empty(char **arguments unused) {
    int fd = connected();
    char byte = '-';
    say("send: %zd\n", send(fd, "", 0, 0));
    receive("recvmsg", fd, 10, 0);
    say("write: %zd\n", write(fd, "", 0));
    say("read of one: %zd\n", read(fd, &byte, 1));
    say("send of nowhere: %zd\n", send(fd, NULL, 0, 0));
    say("recv: %zd\n", recv(fd, &byte, 1, 0));
    struct msghdr message = {0};
    say("sendmsg without parts: %zd\n", sendmsg(fd, &message, 0));
    say("recvmsg without parts: %zd\n", recvmsg(fd, &message, 0));
    send_text(fd, "full");
    wait_readable(fd);
    say("read of nothing: %zd\n", read(fd, &byte, 0));
    struct iovec nothing = {&byte, 0};
    say("readv of nothing: %zd\n", readv(fd, &nothing, 1));
    receive("recvmsg", fd, 10, 0);
    say("byte %c\n", byte);
}

static void unread(char **arguments unused) {
    int fd = unconnected(), count = -1;
    require(ioctl(fd, FIONREAD, &count) == 0);
    say("nothing sent: %d\n", count);
    send_text(fd, "twelve bytes");
    send_text(fd, "");
    send_text(fd, "three");
    wait_readable(fd);
    require(ioctl(fd, FIONREAD, &count) == 0);
    say("FIONREAD: %d\n", count);
    receive("taken", fd, 5, 0);
    wait_readable(fd);
    require(ioctl(fd, FIONREAD, &count) == 0);
    say("FIONREAD: %d\n", count);
    receive("taken", fd, 5, 0);
    receive("taken", fd, 5, 0);
    require(ioctl(fd, FIONREAD, &count) == 0);
    say("all taken: %d\n", count);
    say("nowhere: %s\n", outcome(ioctl(fd, FIONREAD, (void *)8)));
}

static void not_waiting(char **arguments unused) {
    int fd = unconnected();
    say("before anything: ");
    receive("recvmsg", fd, 10, MSG_DONTWAIT);
    send_text(fd, "one");
    receive("waits", fd, 10, 0);
    receive("MSG_DONTWAIT", fd, 10, MSG_DONTWAIT);
    require(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    receive("O_NONBLOCK", fd, 10, 0);
    char byte;
    say("read: %s\n", outcome(read(fd, &byte, 1)));
    send_text(fd, "two");
    wait_readable(fd);
    receive("O_NONBLOCK", fd, 10, 0);
    require(fcntl(fd, F_SETFL, 0) == 0);
    struct timeval limit = {0, 1000};
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    receive("SO_RCVTIMEO", fd, 10, 0);
    struct mmsghdr message = {0};
    say("recvmmsg: %s\n", outcome(recvmmsg(fd, &message, 1, 0, NULL)));
}

SCENARIOS({"peeking", peeking}, {"truncation", truncation}, {"parts", parts}, {"several", several}, {"empty", empty},
          {"unread", unread}, {"waiting", not_waiting})
