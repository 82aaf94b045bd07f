/* datagram-told CASE HOST PORT: a connected socket, with a peer that has no such port, or with a proxy that relays
 * no datagrams. Every call that waits for an answer reports the error at once. */
#include "datagram.h"

#include <sys/epoll.h>
#include <sys/select.h>

static int fd;

/* The sends do not wait. */
static void ask(int flags) {
    fd = socket(far.any.sa_family, SOCK_DGRAM | flags, 0);
    require(fd >= 0 && connect(fd, &far.any, far.length) == 0);
    require(send(fd, "question", 8, MSG_DONTWAIT) == 8);
}

static void conclude(const char *told) {
    int error = -1;
    socklen_t length = sizeof error;
    say("%s, peer %s, ", told, strcmp(peer_of(fd), text_of(&far.any)) == 0 ? "as connected to" : peer_of(fd));
    require(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    say("%s, then ", strerrorname_np(error));
    require(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    say("%d\n", error);
}

static void by_poll(char **arguments unused) {
    ask(SOCK_NONBLOCK);
    struct pollfd entry = {fd, POLLIN, 0};
    require(poll(&entry, 1, -1) == 1);
    conclude(entry.revents == POLLERR ? "POLLERR" : "other events");
}

static void by_select(char **arguments unused) {
    ask(SOCK_NONBLOCK);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    require(select(fd + 1, &readable, NULL, NULL, NULL) == 1);
    conclude("readable");
}

static void by_epoll(char **arguments) {
    ask(SOCK_NONBLOCK);
    int set = epoll_create1(0);
    int is_edge = strcmp(arguments[-3], "edge") == 0;
    struct epoll_event event = {.events = EPOLLIN | (is_edge ? EPOLLET : 0)};
    require(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0 && epoll_wait(set, &event, 1, -1) == 1);
    conclude(event.events == EPOLLERR ? "EPOLLERR" : "other events");
}

static void by_recv(char **arguments unused) {
    ask(0);
    char byte;
    say("recv %s\n", outcome(recv(fd, &byte, 1, 0)));
    say("then %s\n", outcome(recv(fd, &byte, 1, MSG_DONTWAIT)));
}

SCENARIOS({"poll", by_poll}, {"select", by_select}, {"level", by_epoll}, {"edge", by_epoll}, {"recv", by_recv})
