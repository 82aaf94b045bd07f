// asynchronous epoll|poll|select COUNT ADDRESS PORT [PROXY-ADDRESS PROXY-PORT]
//
// Opens COUNT connections at once, on non-blocking sockets and in one event loop. With a proxy named it speaks SOCKS5
// itself, asynchronously: what remains to a library that adds nothing of its own. Without, it is any event-driven
// program: connect(), wait until the socket can be written to, ask for SO_ERROR. A connection counts when it has
// carried a byte there and, from `delayed`, back: what it is told to be complete has to be usable.
//
// A library may do everything wrong: wait in connect(), never report an event, report one too early. Nothing of that
// ends the program or keeps it longer than its limit, unless a call never returns; those who start it see to that.
//
// Prints: milliseconds from the first connect() until all connections were usable, or had failed, or the limit was
// reached; milliseconds of the longest connect(); how many were usable; and of how many, which is fewer than COUNT
// where not so many descriptors may be had.

#define _GNU_SOURCE
#include "bench.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

static const int64_t limit = 10 * (int64_t)1000000000;

enum stage { unstarted, connecting, selecting, requesting, proving, usable, failed };

struct connection {
    int fd;
    enum stage stage;
    short wanted;    // POLLIN, POLLOUT or 0
    size_t received; // of what is expected in this stage
};

static struct sockaddr_in target, peer;
static bool handCoded;
static struct connection *connections;
static int count, pending;
static int64_t longest;

// ----- The engines --------------------------------------------------------------------------------------------------

static void ready(struct connection *connection);

static int epoll;

static bool watchByEpoll(const struct connection *connection, short before) {
    int operation = !before ? EPOLL_CTL_ADD : connection->wanted ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
    struct epoll_event event = {
        .events = connection->wanted == POLLOUT ? EPOLLOUT : EPOLLIN,
        .data.u32 = (uint32_t)(connection - connections),
    };
    return epoll_ctl(epoll, operation, connection->fd, &event) == 0;
}

static bool waitByEpoll(int milliseconds) {
    struct epoll_event events[256];
    int reported = epoll_wait(epoll, events, 256, milliseconds);
    if (reported < 0) return errno == EINTR;
    for (int i = 0; i < reported; i++)
        if (events[i].data.u32 < (uint32_t)count) ready(&connections[events[i].data.u32]);
    return true;
}

// poll and select are told at every call, from `wanted`.
static bool watchByCall(const struct connection *connection, short before) {
    (void)connection, (void)before;
    return true;
}

static struct pollfd *polled;

static bool waitByPoll(int milliseconds) {
    for (int i = 0; i < count; i++) {
        const struct connection *connection = &connections[i];
        polled[i] = (struct pollfd){.fd = connection->wanted ? connection->fd : -1, .events = connection->wanted};
    }
    int reported = poll(polled, (nfds_t)count, milliseconds);
    if (reported < 0) return errno == EINTR;
    for (int i = 0; i < count; i++)
        if (polled[i].revents) ready(&connections[i]);
    return true;
}

static bool waitBySelect(int milliseconds) {
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    int highest = -1;
    for (int i = 0; i < count; i++) {
        const struct connection *connection = &connections[i];
        if (!connection->wanted) continue;
        FD_SET(connection->fd, connection->wanted == POLLIN ? &readable : &writable);
        if (connection->fd > highest) highest = connection->fd;
    }
    struct timeval timeout = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    int reported = select(highest + 1, &readable, &writable, NULL, &timeout);
    if (reported < 0) return errno == EINTR;
    for (int i = 0; reported > 0 && i < count; i++) {
        const struct connection *connection = &connections[i];
        if (connection->wanted && FD_ISSET(connection->fd, connection->wanted == POLLIN ? &readable : &writable))
            ready(&connections[i]);
    }
    return true;
}

static const struct engine {
    const char *name;
    bool (*watch)(const struct connection *, short before);
    // Waits, and tells of every connection that is ready. False when that cannot go on.
    bool (*wait)(int milliseconds);
    int highest; // descriptor
} engines[] = {
    {"epoll", watchByEpoll, waitByEpoll, INT32_MAX},
    {"poll", watchByCall, waitByPoll, INT32_MAX},
    {"select", watchByCall, waitBySelect, FD_SETSIZE - 1},
};
static const struct engine *engine;

// ----- A connection -------------------------------------------------------------------------------------------------

static bool want(struct connection *connection, short wanted) {
    short before = connection->wanted;
    connection->wanted = wanted;
    return wanted == before || engine->watch(connection, before);
}

static void giveUp(struct connection *connection) {
    // A library may have given the socket to another process as well, which would keep it in the epoll.
    want(connection, 0);
    close(connection->fd);
    connection->fd = -1;
    connection->stage = failed;
    pending--;
}

static void sendAndExpect(struct connection *connection, enum stage stage, const void *bytes, size_t length) {
    connection->stage = stage;
    connection->received = 0;
    if (write(connection->fd, bytes, length) != (ssize_t)length || !want(connection, POLLIN)) giveUp(connection);
}

/// Whether all of what is expected has come. A different byte, or the end, is failure.
static bool received(struct connection *connection, const void *expected, size_t length) {
    char bytes[16];
    size_t missing = length - connection->received;
    ssize_t got = read(connection->fd, bytes, missing);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got <= 0 || (size_t)got > missing ||
        memcmp(bytes, (const char *)expected + connection->received, (size_t)got) != 0) {
        giveUp(connection);
        return false;
    }
    connection->received += (size_t)got;
    return connection->received == length;
}

static void isConnected(struct connection *connection) {
    unsigned char own = (unsigned char)(connection - connections);
    // VER, NMETHODS, METHODS: no authentication.
    if (handCoded) sendAndExpect(connection, selecting, "\x05\x01\x00", 3);
    else sendAndExpect(connection, proving, &own, 1);
}

static void ready(struct connection *connection) {
    unsigned char own = (unsigned char)(connection - connections);
    switch (connection->stage) {
    case connecting: {
        int error = -1;
        socklen_t length = sizeof error;
        if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0)
            isConnected(connection);
        else giveUp(connection);
        break;
    }
    case selecting:
        if (received(connection, "\x05\x00", 2)) {
            // VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT.
            unsigned char request[10] = {5, 1, 0, 1};
            memcpy(request + 4, &target.sin_addr, 4);
            memcpy(request + 8, &target.sin_port, 2);
            sendAndExpect(connection, requesting, request, sizeof request);
        }
        break;
    case requesting:
        if (received(connection, "\x05\x00\x00\x01\0\0\0\0\0\0", 10)) sendAndExpect(connection, proving, &own, 1);
        break;
    case proving:
        if (received(connection, &own, 1)) {
            connection->stage = usable;
            pending--;
        }
        break;
    case usable: {
        // Nothing more is to come, so this is the end of it, or should not have been reported.
        char byte;
        if (read(connection->fd, &byte, 1) >= 0 || errno != EAGAIN) {
            pending++;
            giveUp(connection);
        }
        break;
    }
    case unstarted:
    case failed: break;
    }
}

static void start(struct connection *connection) {
    connection->stage = connecting;
    int64_t before = nanoseconds();
    int result = connect(connection->fd, (const struct sockaddr *)&peer, sizeof peer), error = errno;
    int64_t taken = nanoseconds() - before;
    if (taken > longest) longest = taken;
    if (result == 0) isConnected(connection);
    else if (error != EINPROGRESS || !want(connection, POLLOUT)) giveUp(connection);
}

/// As many as may be had, up to `count`.
static void openSockets(void) {
    enum { spare = 32 }; // for the library, where descriptors are short
    allowDescriptors();
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connections[i].fd = fd;
        if (fd >= 0 && fd <= engine->highest) continue;
        if (fd < 0 && errno != EMFILE) fail("socket");
        if (fd >= 0) close(fd);
        if (i <= spare) fail("socket");
        count = i - spare;
        for (int j = count; j < i; j++) close(connections[j].fd);
        fprintf(stderr, "asynchronous: descriptors for %d connections only\n", count);
    }
}

int main(int argc, char **argv) {
    const char *usage = "usage: asynchronous epoll|poll|select COUNT ADDRESS PORT [PROXY-ADDRESS PROXY-PORT]\n";
    if (argc != 5 && argc != 7) return fputs(usage, stderr), 2;
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (strcmp(argv[1], engines[i].name) == 0) engine = &engines[i];
    if (!engine) return fputs(usage, stderr), 2;
    count = positive(argv[2]);
    target = endpoint(argv[3], argv[4]);
    handCoded = argc == 7;
    peer = handCoded ? endpoint(argv[5], argv[6]) : target;

    signal(SIGPIPE, SIG_IGN);
    connections = allocate((size_t)count, sizeof *connections);
    polled = allocate((size_t)count, sizeof *polled);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) fail("epoll_create1");
    openSockets();

    pending = count;
    int64_t begin = nanoseconds(), now = begin;
    for (int i = 0; i < count && now < begin + limit; i++) {
        start(&connections[i]);
        now = nanoseconds();
    }
    while (pending > 0 && now < begin + limit) {
        if (!engine->wait((int)((begin + limit - now) / 1000000) + 1)) break;
        now = nanoseconds();
    }
    now = nanoseconds();

    int succeeded = 0;
    for (int i = 0; i < count; i++) {
        const struct connection *connection = &connections[i];
        if (connection->stage == usable) succeeded++;
        if (connection->fd < 0) continue;
        // Reset, not closed: no ports in TIME_WAIT are left for the next connect() to search through.
        struct linger reset = {.l_onoff = 1};
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(connection->fd);
    }
    printf("%.3f %.3f %d %d\n", (double)(now - begin) / 1e6, (double)longest / 1e6, succeeded, count);
}
