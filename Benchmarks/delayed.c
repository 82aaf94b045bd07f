// delayed ADDRESS PORT MILLISECONDS
//
// A SOCKS5 proxy at the end of a long line: each of its two answers leaves so many milliseconds after what it answers
// has come, whatever the number of connections. It connects to nobody: once it has granted a request it is the target
// itself, and sends back at once what it gets. So the time that is left to measure is the client's.

#define _GNU_SOURCE
#include "bench.h"

#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

// Connections accepted, and events taken, before answers that are due are looked after.
enum { batch = 256 };

struct connection {
    int fd; // -1 once it has ended, while its answer is still among those to come
    enum { selecting, requesting, echoing } stage;
    size_t length;
    unsigned char bytes[600]; // more than the longest greeting and the longest request

    // While an answer is to come.
    bool waiting;
    int64_t due;
    struct connection *next;
};

static int epoll;
static int64_t delay;
// The delay is the same for all, so that answers leave in the order in which they were put here.
static struct connection *firstDue, **lastDue = &firstDue;

static void end(struct connection *connection) {
    close(connection->fd);
    connection->fd = -1;
    if (!connection->waiting) free(connection);
}

static bool sent(const struct connection *connection, const void *bytes, size_t count) {
    return send(connection->fd, bytes, count, MSG_NOSIGNAL) == (ssize_t)count;
}

/// The length of the greeting or request, 0 as long as that cannot be said, or -1 when it is none that is granted.
static int messageLength(const struct connection *connection) {
    const unsigned char *bytes = connection->bytes;
    if (connection->length >= 1 && bytes[0] != 5) return -1;
    if (connection->stage == selecting) {
        // VER, NMETHODS, METHODS.
        if (connection->length < 2) return 0;
        int length = 2 + bytes[1];
        if (connection->length < (size_t)length) return 0;
        return memchr(bytes + 2, 0, bytes[1]) ? length : -1;
    }
    // VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT; a name begins with its length.
    if (connection->length < 5) return 0;
    if (bytes[1] != 1) return -1;
    switch (bytes[3]) {
    case 1: return 4 + 4 + 2;
    case 3: return 4 + 1 + bytes[4] + 2;
    case 4: return 4 + 16 + 2;
    default: return -1;
    }
}

/// Looks at what has come, unless the answer to what came before has yet to leave.
static void proceed(struct connection *connection) {
    if (connection->waiting || connection->length == 0) return;
    if (connection->stage == echoing) {
        if (!sent(connection, connection->bytes, connection->length)) return end(connection);
        connection->length = 0;
        return;
    }
    int length = messageLength(connection);
    if (length < 0) return end(connection);
    if (length == 0 || connection->length < (size_t)length) return;
    connection->length -= (size_t)length;
    memmove(connection->bytes, connection->bytes + length, connection->length);
    connection->waiting = true;
    connection->due = nanoseconds() + delay;
    connection->next = NULL;
    *lastDue = connection;
    lastDue = &connection->next;
}

static void receive(struct connection *connection) {
    size_t room = sizeof connection->bytes - connection->length;
    ssize_t count = recv(connection->fd, connection->bytes + connection->length, room, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    // Without room it is 0 as well: that client sends on without waiting for an answer.
    if (count <= 0) return end(connection);
    connection->length += (size_t)count;
    proceed(connection);
}

static void answerThoseDue(void) {
    for (int64_t now = nanoseconds(); firstDue && firstDue->due <= now;) {
        struct connection *connection = firstDue;
        firstDue = connection->next;
        if (!firstDue) lastDue = &firstDue;
        connection->waiting = false;
        if (connection->fd < 0) {
            free(connection);
            continue;
        }
        bool well = connection->stage == selecting ? sent(connection, "\x05\x00", 2)
                                                   : sent(connection, "\x05\x00\x00\x01\0\0\0\0\0\0", 10);
        if (!well) {
            end(connection);
            continue;
        }
        connection->stage++;
        proceed(connection);
    }
}

static void acceptSome(int listener) {
    for (int i = 0; i < batch; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            // Without descriptors it goes on when a connection ends.
            if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR || errno == EMFILE) return;
            fail("accept");
        }
        struct connection *connection = allocate(1, sizeof *connection);
        connection->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return fprintf(stderr, "usage: delayed ADDRESS PORT MILLISECONDS\n"), 2;
    struct sockaddr_in address = endpoint(argv[1], argv[2]);
    delay = (int64_t)positive(argv[3]) * 1000000;
    allowDescriptors();

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    if (listener < 0) fail("socket");
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) fail("setsockopt");
    // Connections inherit it. No answer may wait for the one before it to be acknowledged.
    if (setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) fail("setsockopt");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 65535) != 0) fail("listen");
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) fail("epoll");

    for (;;) {
        int timeout = -1;
        if (firstDue) {
            int64_t left = firstDue->due - nanoseconds();
            // Upwards: no answer leaves too early, and none more than a millisecond late.
            timeout = left <= 0 ? 0 : (int)((left + 999999) / 1000000);
        }
        struct epoll_event events[batch];
        int count = epoll_wait(epoll, events, batch, timeout);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) receive(events[i].data.ptr);
            else acceptSome(listener);
        }
        answerThoseDue();
    }
}
