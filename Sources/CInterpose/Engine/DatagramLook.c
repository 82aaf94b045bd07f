/* What there is to be received by a relayed socket, without receiving it. */
#include "Datagrams.h"

#include <poll.h>

#include "Encapsulation.h"

enum {
    NOT_RELAYED = -2,
    /* The next datagram is a fragment, which is to be seen whole, to be joined to others or to be dropped. */
    IS_FRAGMENT = -3,
};

/* Looks at the next datagram, and takes those away before it that are none of the program's. `memory` is room for a
 * whole one; where there is none, the answer may be IS_FRAGMENT if the caller `may_have_some`. Returns its length; -1
 * when there is none, as `errno` says; or NOT_RELAYED. */
static ssize_t look_alone(int fd, void *memory, int may_have_some) {
    const int flags = MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT;
    for (int attempt = 1;;) {
        struct udp_receive_plan plan;
        int prepared = prepare_to_receive(fd, &plan);
        if (prepared != 0) return prepared == SOCKSIFY_PASS ? NOT_RELAYED : returned(prepared);
        plan.head = LONGEST_HEADER;
        plan.expected = NULL;
        struct iovec part = {memory, memory ? LONGEST_DATAGRAM : 0}, parts[3];
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1}, whole;
        struct room room;
        make_room(&whole, &message, parts, &room, &plan);
        ssize_t length = kernel_receive_message(fd, &whole, flags);
        if (length == -ECONNREFUSED && attempt++ < ATTEMPTS && !socksify_is_refused(fd)) continue;
        if (length < 0) return returned((int)length);
        /* FRAG */
        if (may_have_some && length >= SHORTEST_HEADER && room.head[2] != 0) return IS_FRAGMENT;
        if (decapsulate(&plan, &message, &whole, &room, flags, &length)) return length;
        drop(fd, flags);
    }
}

/* On a stack of the library's own: the caller is one that waits, and may have little left of the program's. */
static ssize_t look_on_stack(int fd) {
    ssize_t length = ON_LIBRARY_STACK_IF_THERE(look_alone, fd, NULL, 1);
    if (length != IS_FRAGMENT) return length;
    void *memory = library_memory_take();
    length = ON_LIBRARY_STACK_IF_THERE(look_alone, fd, memory, 0);
    if (memory) library_memory_give_back(memory);
    return length;
}

/* Threads look one after the other: of two that have seen the same datagram, the second would take away the next one.
 * None ends while it looks: others may wait for what it was told of. */
static ssize_t look(int fd) {
    static uint64_t locks[64];
    uint64_t *lock = &locks[(unsigned)fd % 64];
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    socksify_lock(lock);
    ssize_t length = look_on_stack(fd);
    socksify_unlock(lock);
    pthread_setcancelstate(state, NULL);
    return length;
}

int relayed_unread(int fd, int *unread) {
    ssize_t length = look(fd);
    *unread = length > 0 ? (int)length : 0;
    return length != NOT_RELAYED;
}

int relayed_is_readable(int fd) {
    /* What was shut down has an end to be read (shutdown(2)). */
    return look(fd) != -1 || errno != EAGAIN || (!process_is_confined() && kernel_poll_now(fd, POLLRDHUP) != 0);
}

int relayed_has_datagram(int fd) {
    return !waits(fd, 0) || relayed_is_readable(fd);
}
