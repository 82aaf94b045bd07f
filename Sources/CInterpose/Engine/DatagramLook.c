/* Examines what a relayed socket can receive, without receiving it. */
#include "Datagrams.h"

#include <poll.h>

#include "Encapsulation.h"

enum {
    NOT_RELAYED = -2,
    /* The next datagram is a fragment, which must be read completely before it is joined to others or dropped. */
    IS_FRAGMENT = -3,
};

/* Peeks at the program's next datagram, and drops those before it that the program must not see. `memory` has room for
 * a whole datagram; if it is NULL, the result may be IS_FRAGMENT if the caller `may_have_some`. Returns the length; -1
 * with `errno` set if there is none; or NOT_RELAYED. */
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

/* Runs on a stack of the library: the caller waits on the program's stack, where little may be left. */
static ssize_t look_on_stack(int fd) {
    ssize_t length = ON_LIBRARY_STACK_IF_THERE(look_alone, fd, NULL, 1);
    if (length != IS_FRAGMENT) return length;
    void *memory = library_memory_take();
    length = ON_LIBRARY_STACK_IF_THERE(look_alone, fd, memory, 0);
    if (memory) library_memory_give_back(memory);
    return length;
}

/* Threads look one after the other: if two had seen the same datagram, the second would drop the next one. A thread
 * cannot be cancelled while it looks, because others may wait for the datagram. */
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
    /* After shutdown(2) a read returns the end of the stream. */
    return look(fd) != -1 || errno != EAGAIN || (!process_is_confined() && kernel_poll_now(fd, POLLRDHUP) != 0);
}

int relayed_has_datagram(int fd) {
    return !waits(fd, 0) || relayed_is_readable(fd);
}
