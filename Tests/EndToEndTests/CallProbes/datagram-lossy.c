/* datagram-lossy NAME HOST PORT [connected]: prints the answers that arrive over a network that loses, duplicates
 * and delays datagrams. */
#include "datagram.h"

#include <sys/epoll.h>

enum { COUNT = 8, LARGEST = 400 };

/* Each datagram has a number, a length and bytes of its own; an empty one follows the last. */
static size_t compose(char *bytes, int number) {
    if (number == COUNT) return 0;
    size_t length = 1 + (size_t)number * 50;
    for (size_t index = 0; index < length; index++) bytes[index] = (char)('0' + ((size_t)number + index * 7) % 64);
    bytes[0] = (char)('0' + number);
    return length;
}

static void send_all(int fd) {
    for (int number = 0; number <= COUNT; number++) {
        char bytes[LARGEST];
        size_t length = compose(bytes, number);
        require(sendto(fd, bytes, length, 0, &far.any, far.length) == (ssize_t)length);
    }
}

/* Prints the number of the datagram. Returns whether it is the last. */
static int tell(const char *bytes, size_t length, const address *from) {
    char expected[LARGEST];
    int number = length > 0 ? bytes[0] - '0' : COUNT;
    require(number >= 0 && number <= COUNT);
    int is_right = compose(expected, number) == length && memcmp(bytes, expected, length) == 0;
    say("%d %s from %s\n", number, is_right ? "right" : "garbled", source_of(from));
    return number == COUNT;
}

/* Receives a datagram. Returns whether it is the last; -1 for EAGAIN. */
static int receive_one(int fd, int flags) {
    char bytes[LARGEST + 1];
    address from = {.length = sizeof from.storage};
    ssize_t result = recvfrom(fd, bytes, sizeof bytes, flags, &from.any, &from.length);
    if (result < 0 && errno == EAGAIN) return -1;
    require(result >= 0);
    return tell(bytes, (size_t)result, &from);
}

/* Receives all waiting datagrams. Returns whether the last was among them. */
static int receive_all(int fd) {
    int is_last = 0, one;
    while ((one = receive_one(fd, MSG_DONTWAIT)) >= 0) is_last |= one;
    return is_last;
}

static int open_socket(char **arguments) { return arguments[0] ? connected() : unconnected(); }

static void by_recvfrom(char **arguments) {
    int fd = open_socket(arguments);
    send_all(fd);
    while (receive_one(fd, 0) == 0) {}
}

static void by_recvmmsg(char **arguments) {
    int fd = open_socket(arguments), is_last = 0;
    send_all(fd);
    while (!is_last) {
        static char bytes[4][LARGEST + 1];
        address from[4];
        struct iovec parts[4];
        struct mmsghdr messages[4];
        for (int index = 0; index < 4; index++) {
            parts[index] = (struct iovec){bytes[index], sizeof bytes[index]};
            messages[index] = (struct mmsghdr){.msg_hdr = {
                .msg_name = &from[index].any, .msg_namelen = sizeof from[index].storage, .msg_iov = &parts[index],
                .msg_iovlen = 1}};
        }
        int received = recvmmsg(fd, messages, 4, MSG_WAITFORONE, NULL);
        require(received > 0);
        for (int index = 0; index < received; index++) {
            from[index].length = messages[index].msg_hdr.msg_namelen;
            is_last |= tell(bytes[index], messages[index].msg_len, &from[index]);
        }
    }
}

static void by_poll(char **arguments) {
    int fd = open_socket(arguments);
    send_all(fd);
    do wait_readable(fd);
    while (!receive_all(fd));
}

static int watch(int fd, uint32_t events) {
    int epoll = epoll_create1(0);
    require(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = events}) == 0);
    return epoll;
}

static void by_epoll(char **arguments, uint32_t events) {
    int fd = open_socket(arguments), epoll = watch(fd, events);
    struct epoll_event event;
    send_all(fd);
    do require(epoll_wait(epoll, &event, 1, -1) == 1 && event.events == EPOLLIN);
    while (!receive_all(fd));
    say("epoll_wait: %d\n", epoll_wait(epoll, &event, 1, 0));
}

static void by_level(char **arguments) { by_epoll(arguments, EPOLLIN); }
static void by_edge(char **arguments) { by_epoll(arguments, EPOLLIN | EPOLLET); }

/* A lost datagram never comes, by whatever call the program waits; a repeated one does. */
static void sent_again(char **arguments) {
    enum { WAIT = 20 };
    int fd = open_socket(arguments), epoll = watch(fd, EPOLLIN);
    struct timeval limit = {.tv_usec = WAIT * 1000};
    struct pollfd waiting = {fd, POLLIN, 0};
    struct epoll_event event;
    send_text(fd, "a question");
    say("poll: %d\n", poll(&waiting, 1, WAIT));
    say("epoll_wait: %d\n", epoll_wait(epoll, &event, 1, WAIT));
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    receive("SO_RCVTIMEO", fd, 64, 0);
    struct mmsghdr message = {0};
    say("recvmmsg: %s\n", outcome(recvmmsg(fd, &message, 1, 0, NULL)));
    limit.tv_usec = 0;
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    send_text(fd, "the question again");
    require(epoll_wait(epoll, &event, 1, -1) == 1);
    wait_readable(fd);
    receive("answer", fd, 64, 0);
}

SCENARIOS({"recvfrom", by_recvfrom}, {"recvmmsg", by_recvmmsg}, {"poll", by_poll}, {"level", by_level},
          {"edge", by_edge}, {"again", sent_again})
