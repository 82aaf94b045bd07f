/* What `connecting` and `connecting-paced` do: they connect one socket up to TIMES times, until it succeeds, and
 * print how each attempt ended, what else of the socket changed, and whether the connection works. MODE: blocking,
 * nonblocking. */
#pragma once

#include "probe.h"

#include <sys/time.h>

typedef struct {
    int status_flags, descriptor_flags, no_delay, keep_alive, buffer;
    struct timeval send_timeout, receive_timeout;
} settings;

static settings settings_of(int fd) {
    settings now;
    memset(&now, 0, sizeof now);
    now.status_flags = fcntl(fd, F_GETFL);
    now.descriptor_flags = fcntl(fd, F_GETFD);
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now.no_delay, &(socklen_t){sizeof(int)});
    getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &now.keep_alive, &(socklen_t){sizeof(int)});
    getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &now.send_timeout, &(socklen_t){sizeof(struct timeval)});
    getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &now.receive_timeout, &(socklen_t){sizeof(struct timeval)});
    return now;
}

/* Whether SO_ERROR reported the failure: the kernel then gives ECONNABORTED once. */
static int was_told;

static const char *attempt(int fd, const address *to) {
    if (was_told) {
        const char *first = outcome(connect(fd, &to->any, to->length));
        if (strcmp(first, "ECONNABORTED") != 0) say("not aborted: %s\n", first);
        was_told = 0;
    }
    if (connect(fd, &to->any, to->length) == 0) return "0";
    if (errno != EINPROGRESS) return outcome(-1);
    struct pollfd waiting = {fd, POLLOUT, 0};
    require(poll(&waiting, 1, -1) == 1);
    int error = 0;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    was_told = error != 0;
    return error ? strerrorname_np(error) : "0";
}

/* The arguments from the second on are MODE HOST PORT TIMES. */
static void connect_and_say(char **arguments) {
    int is_blocking = strcmp(arguments[1], "blocking") == 0;
    address to = numeric(arguments[2], arguments[3]);
    int times = atoi(arguments[4]);
    int descriptors = descriptor_count();
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | (is_blocking ? 0 : SOCK_NONBLOCK), 0);
    struct timeval send_timeout = {77, 340000}, receive_timeout = {66, 120000};
    require(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
    require(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int)) == 0);
    require(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send_timeout, sizeof send_timeout) == 0);
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive_timeout, sizeof receive_timeout) == 0);
    settings before = settings_of(fd);
    const char *result = "";
    for (int time = 0; time < times && strcmp(result, "0") != 0; time++) {
        result = attempt(fd, &to);
        settings after = settings_of(fd);
        say("%s%s\n", result, memcmp(&before, &after, sizeof before) == 0 ? "" : ", settings changed");
        if (strcmp(result, "0") != 0) say("peer %s\n", peer_of(fd));
    }
    if (strcmp(result, "0") == 0) {
        say("peer %s\n", strcmp(peer_of(fd), text_of(&to.any)) == 0 ? "as connected to" : peer_of(fd));
        say("%s\n", echo(fd));
        /* The kernel returns 0 once after a call that did not wait. */
        const char *again = outcome(connect(fd, &to.any, to.length));
        if (strcmp(again, is_blocking ? "EISCONN" : "0") != 0) say("again %s first\n", again);
        say("again %s\n", outcome(connect(fd, &to.any, to.length)));
    }
    close(fd);
    say("descriptors %+d\n", descriptor_count() - descriptors);
}
