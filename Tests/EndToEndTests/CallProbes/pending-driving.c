/* pending-driving CALL ADDRESS: a program that never waits, and calls one function in a loop until it reports the
 * connection. */
#include "pending-calls.h"

static const one_byte_call *one_call;
static const char *early;

static void drive_by_call(connection *f) {
    ssize_t result = one_call->call(f->fd);
    if (result >= 0 || errno != EAGAIN) say_early("%s %zd %s\n", one_call->name, result, outcome(result));
}

static void drive_by_connect(connection *f) {
    const char *result = connect_to_target(f->fd);
    if (strcmp(result, "EALREADY") != 0) say_early("connect %s\n", result);
}

static void drive_by_error(connection *f) {
    if (strcmp(error_of(f->fd), "0") != 0 || strcmp(peer_of(f->fd), "ENOTCONN") != 0) say_early("an event\n");
}

static void drive_by_available(connection *f) {
    int there = -1;
    if (ioctl(f->fd, FIONREAD, &there) != 0 || there != 0) say_early("FIONREAD %d\n", there);
}

static void drive_by_select(connection *f) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(f->fd, &set);
    if (select(f->fd + 1, NULL, &set, NULL, &(struct timeval){0, 0}) != 0) say_early("select\n");
}

static int ep;

static void drive_by_epoll(connection *f) {
    (void)f;
    struct epoll_event event;
    int count = epoll_wait(ep, &event, 1, 0);
    if (count != 0) say_early("epoll_wait %d %s\n", count, event_names(event.events));
}

static int has_established(connection *f, const char *way) {
    if (one_call) {
        ssize_t result = one_call->call(f->fd);
        if (result < 0) {
            if (errno != EAGAIN) say("%s: %s\n", way, outcome(-1));
            return errno != EAGAIN;
        }
        char byte = heard;
        if (!*early) require(read_all(f->far, &byte, 1));
        say("%s: %zd, %c\n", way, result, byte);
        return 1;
    }
    if (strcmp(way, "connect") == 0) {
        const char *result = connect_to_target(f->fd);
        if (strcmp(result, "EALREADY") == 0) return 0;
        if (strcmp(result, "0") != 0) say("connect: %s\n", result);
        return 1;
    }
    if (strcmp(way, "error") == 0) {
        const char *error = error_of(f->fd);
        if (strcmp(error, "0") != 0) say("error: %s\n", error);
        return strcmp(error, "0") != 0 || strcmp(peer_of(f->fd), "ENOTCONN") != 0;
    }
    if (strcmp(way, "available") == 0) {
        int there = 0;
        require(ioctl(f->fd, FIONREAD, &there) == 0);
        if (there) say("available: %d\n", there);
        return there > 0;
    }
    if (strcmp(way, "poll") == 0) {
        struct pollfd entry = {f->fd, POLLOUT, 0};
        int count = poll(&entry, 1, 0);
        if (count) say("poll: %d %s\n", count, event_names(entry.revents));
        return count;
    }
    if (strcmp(way, "select") == 0) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(f->fd, &set);
        int count = select(f->fd + 1, NULL, &set, NULL, &(struct timeval){0, 0});
        if (count) say("select: %d\n", count);
        return count;
    }
    struct epoll_event event;
    int count = epoll_wait(ep, &event, 1, 0);
    if (count) say("epoll_wait: %d %s\n", count, event_names(event.events));
    return count;
}

int main(int count, char **arguments) {
    require(count == 3);
    set_up(arguments);
    const char *way = arguments[1];
    early = "";
    for (const one_byte_call *call = reading_calls; call->name; call++)
        if (strcmp(call->name, way) == 0) one_call = call, early = "x";
    for (const one_byte_call *call = writing_calls; call->name; call++)
        if (strcmp(call->name, way) == 0) one_call = call;
    if (one_call) drive = drive_by_call;
    if (strcmp(way, "connect") == 0) drive = drive_by_connect;
    if (strcmp(way, "error") == 0) drive = drive_by_error;
    if (strcmp(way, "available") == 0) drive = drive_by_available, early = "x";
    if (strcmp(way, "select") == 0) drive = drive_by_select;
    if (strcmp(way, "epoll") == 0) drive = drive_by_epoll;
    connection f = begin_pending(REACHED);
    if (strcmp(way, "epoll") == 0) {
        ep = epoll_create1(EPOLL_CLOEXEC);
        require(epoll_ctl(ep, EPOLL_CTL_ADD, f.fd, &(struct epoll_event){EPOLLOUT, {.u64 = 1}}) == 0);
    }
    establish(&f, early);
    while (!has_established(&f, way)) doze(100);
    say_connected(&f, strcmp(way, "available") == 0 ? "x" : "");
}
