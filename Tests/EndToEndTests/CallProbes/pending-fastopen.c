/* pending-fastopen CASE ADDRESS: connections that begin in other ways than by a plain connect(2). */
#include "pending.h"

static connection begun(int fd, const char *result) {
    say("begun: %s\n", result);
    return (connection){fd, -1, UNREACHED};
}

static void arrive(connection *f) {
    char byte;
    reach(f, GREETED);
    say("peer %s, read %s", peer_of(f->fd), outcome(read(f->fd, &byte, 1)));
    say(", write %s\n", outcome(write(f->fd, "x", 1)));
    establish(f, "");
    struct pollfd entry = {f->fd, POLLIN | POLLOUT, 0};
    say("poll %d", poll(&entry, 1, -1));
    say(" %s\n", event_names(entry.revents));
    say_connected(f, "");
}

static char message[] = "to be sent at once";

static int begin(void) {
    if (native) fill_queue();
    return nonblocking();
}

static void by_sendto(void) {
    int fd = begin();
    const char *result = outcome(sendto(fd, message, sizeof message, MSG_FASTOPEN, &target.any, target.length));
    connection f = begun(fd, result);
    say("again: %s\n", outcome(sendto(fd, message, sizeof message, MSG_FASTOPEN, &target.any, target.length)));
    arrive(&f);
}

static void by_sendmsg(void) {
    int fd = begin();
    struct iovec vector = {message, sizeof message};
    struct msghdr header = {.msg_name = &target.any, .msg_namelen = target.length, .msg_iov = &vector, .msg_iovlen = 1};
    connection f = begun(fd, outcome(sendmsg(fd, &header, MSG_FASTOPEN)));
    arrive(&f);
}

static void by_sendmmsg(void) {
    int fd = begin();
    struct iovec vector = {message, sizeof message};
    struct mmsghdr header = {.msg_hdr = {
        .msg_name = &target.any, .msg_namelen = target.length, .msg_iov = &vector, .msg_iovlen = 1}};
    connection f = begun(fd, outcome(sendmmsg(fd, &header, 1, MSG_FASTOPEN)));
    arrive(&f);
}

static void by_option(void) {
    int fd = begin();
    require(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){1}, sizeof(int)) == 0);
    connection f = begun(fd, connect_to_target(fd));
    arrive(&f);
}

static void by_number(void) {
    int fd = begin();
    connection f = begun(fd, outcome(syscall(SYS_connect, fd, &target.any, target.length)));
    arrive(&f);
}

/* A bound socket. */
static void bound(void) {
    address here = numeric("127.0.0.1", "0");
    int fd = begin();
    require(bind(fd, &here.any, here.length) == 0);
    connection f = begun(fd, connect_to_target(fd));
    arrive(&f);
}

static const pending_case cases[] = {
    {"sendto", by_sendto}, {"sendmsg", by_sendmsg}, {"sendmmsg", by_sendmmsg}, {"option", by_option},
    {"number", by_number}, {"bound", bound}, {0},
};

int main(int count, char **arguments) {
    require(count == 3);
    set_up(arguments);
    run_case(cases, arguments[1]);
}
