/* Reads from and writes to encapsulated streams: a step of the engine, and a wait in between. */
#include "EncapsulatedStreams.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "CallWait.h"
#include "Durations.h"
#include "Encapsulation.h"
#include "MessageParts.h"

/* Waits for a descriptor in a call with these flags of socksify_prepare_io(). `end` is when the socket's own limit ends
 * the call; 0: it is not known yet. Returns 0 when the call is over, as `errno` says. */
static int wait_in_call(int fd, unsigned flags, int64_t *end) {
    if (!*end) *end = end_of_call(fd, flags);
    return wait_until_ready(fd, flags & SOCKSIFY_SENDING ? POLLOUT : POLLIN, *end, 1);
}

static int call_waits(int fd, int flags) {
    return !(flags & MSG_DONTWAIT) && waits(fd, flags);
}

int stream_receive(int fd, const struct iovec *parts, size_t count, int flags, ssize_t *result) {
    if (flags & MSG_ERRQUEUE) return 0;
    int error = fault_of(parts, count);
    size_t whole = error ? 0 : size_of(parts, count), done = 0;
    int64_t end = 0;
    *result = -1;
    for (;;) {
        long some = error ? -error : socksify_stream_receive(fd, parts, (long)count, (long)done, flags);
        if (some == SOCKSIFY_STREAM_PASS) return 0;
        if (some == 0 && whole == 0) some = -EAGAIN;
        if (whole == 0 && !error) {
            *result = 0;
            return 1;
        }
        if (some > 0) done += (size_t)some;
        int is_over = some == 0 || done == whole || (some > 0 && (!(flags & MSG_WAITALL) || flags & MSG_PEEK));
        if (!is_over && some < 0 && (some != -EAGAIN || !call_waits(fd, flags))) {
            if (done == 0) {
                errno = (int)-some;
                return 1;
            }
            is_over = 1;
        }
        if (!is_over && !wait_in_call(fd, 0, &end)) {
            if (done == 0) return 1;
            is_over = 1;
        }
        if (is_over) {
            *result = (ssize_t)done;
            return 1;
        }
    }
}

/* Sends the rest of a message that the program takes for sent: without it nothing else can be. */
static void send_rest(int fd) {
    for (long result = -EAGAIN; result == -EAGAIN;) {
        struct pollfd descriptor = {fd, POLLOUT, 0};
        if (kernel_poll_now(fd, POLLOUT) == 0) REAL(poll)(&descriptor, 1, 100);
        result = socksify_stream_flush(fd);
    }
}

int stream_send(int fd, const struct iovec *parts, size_t count, int flags, ssize_t *result) {
    int error = fault_of(parts, count);
    if (!error && flags & MSG_OOB) error = EOPNOTSUPP;
    if (!error && flags & MSG_ZEROCOPY) error = ENOBUFS;
    size_t whole = error ? 0 : size_of(parts, count), done = 0;
    int64_t end = 0;
    *result = -1;
    for (;;) {
        int is_unsent = 0;
        long some = error ? (socksify_stream_unread(fd) == SOCKSIFY_STREAM_PASS ? SOCKSIFY_STREAM_PASS : -error)
                          : socksify_stream_send(fd, parts, (long)count, (long)done, &is_unsent);
        if (some == SOCKSIFY_STREAM_PASS) return 0;
        if (is_unsent) send_rest(fd);
        if (some > 0) done += (size_t)some;
        if (done == whole && some >= 0) break;
        if (some >= 0) continue;
        if (some == -EAGAIN && call_waits(fd, flags) && wait_in_call(fd, SOCKSIFY_SENDING, &end)) continue;
        if (done > 0) break;
        if (some != -EAGAIN) errno = (int)-some;
        else if (!call_waits(fd, flags)) errno = EAGAIN;
        if (errno == EPIPE && !(flags & MSG_NOSIGNAL)) {
            pthread_kill(pthread_self(), SIGPIPE);
            errno = EPIPE;
        }
        return 1;
    }
    *result = (ssize_t)done;
    return 1;
}

int stream_send_file(int fd, int from, off_t *offset, size_t count, ssize_t *result) {
    if (socksify_stream_unread(fd) == SOCKSIFY_STREAM_PASS) return 0;
    uint8_t *memory = library_memory_take();
    *result = -1;
    if (!memory) {
        errno = ENOBUFS;
        return 1;
    }
    size_t done = 0;
    while (done < count) {
        size_t room = count - done < LIBRARY_MEMORY_SIZE ? count - done : LIBRARY_MEMORY_SIZE;
        ssize_t some = offset ? pread(from, memory, room, *offset) : REAL(read)(from, memory, room);
        if (some <= 0) {
            if (some == 0 || done > 0) *result = (ssize_t)done;
            break;
        }
        struct iovec part = {memory, (size_t)some};
        ssize_t sent;
        if (!stream_send(fd, &part, 1, 0, &sent)) sent = -1;
        int error = errno;
        size_t taken = sent > 0 ? (size_t)sent : 0;
        if (offset) *offset += (off_t)taken;
        else if (taken < (size_t)some) lseek(from, (off_t)taken - some, SEEK_CUR);
        done += taken;
        errno = error;
        if (taken < (size_t)some) {
            if (done > 0) *result = (ssize_t)done;
            break;
        }
        *result = (ssize_t)done;
    }
    if (count == 0) *result = 0;
    library_memory_give_back(memory);
    return 1;
}

int stream_unread(int fd, int *unread) {
    long count = socksify_stream_unread(fd);
    if (count == SOCKSIFY_STREAM_PASS) return 0;
    *unread = count > 0 ? (int)(count < INT_MAX ? count : INT_MAX) : 0;
    return 1;
}
