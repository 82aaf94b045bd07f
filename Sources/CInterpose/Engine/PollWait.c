/* A pending socket is never ready; while the program waits for it, it advances.
 *
 * In C, because the program's thread waits here, and may be cancelled: no frame of Swift lies between. */
#include "PollWait.h"

#include <limits.h>

#include "BorrowedMemory.h"
#include "Durations.h"
#include "Misjudged.h"


/* The most descriptors that are polled beside the program's: internal connections, and pending sockets that any call
 * advances. If there are more, they take turns. */
#define MOST_BESIDE 64

struct poll_call {
    struct pollfd *given;
    nfds_t count;
    int64_t end;
    const sigset_t *signals;
    /* The epoll that reports the connections it watches itself; see socksify_unattended(). */
    int besides;
    /* The descriptors polled instead of `given`, those polled beside them, and which of them are pending sockets with
     * other events. */
    struct pollfd *polled;
    int beside;
    unsigned char *substituted;
};

static int poll_for(struct pollfd *descriptors, nfds_t count, int64_t duration, const sigset_t *signals) {
    struct timespec timeout = timespec_of(duration);
    return REAL(ppoll)(descriptors, count, duration == FOREVER ? NULL : &timeout, signals);
}

static int poll_relayed(struct pollfd *descriptors, nfds_t count, int64_t end, const sigset_t *signals) {
    for (;;) {
        int ready = poll_for(descriptors, count, until(end), signals);
        if (ready <= 0) return ready;
        ready = withdraw_readiness(descriptors, count, ready);
        if (ready > 0 || until(end) == 0) return ready;
    }
}

/* Fills in the descriptors to poll. Returns whether any of them is pending. */
static int substitute(struct poll_call *call) {
    uint64_t pending = 0;
    for (nfds_t index = 0; index < call->count; index++) {
        struct pollfd *polled = &call->polled[index];
        *polled = call->given[index];
        polled->revents = 0;
        short interest = descriptor_may_be_pending(polled->fd) ? socksify_poll_interest(polled->fd) : 0;
        call->substituted[index] = interest != 0;
        if (!interest) continue;
        polled->events = interest;
        pending++;
    }
    struct pollfd *beside = call->polled + call->count;
    call->beside = internal_any() ? socksify_internal_connections(beside, MOST_BESIDE) : 0;
    if (call->besides == SOCKSIFY_BESIDES_ALL ? unattended_any_unwatched() : unattended_count() > pending)
        call->beside += socksify_unattended(beside + call->beside, MOST_BESIDE - call->beside, call->besides);
    return pending > 0 || call->beside > 0;
}

/* Advances the pending sockets that are ready. Returns how many are no longer pending; stores the number of other ready
 * descriptors in `ready`. */
static int advance(const struct poll_call *call, int *ready) {
    int ended = 0;
    *ready = 0;
    for (nfds_t index = 0; index < call->count; index++) {
        const struct pollfd *polled = &call->polled[index];
        if (!polled->revents) continue;
        if (!call->substituted[index])
            ++*ready;
        else if (!socksify_poll_advance(polled->fd, polled->revents))
            ended++;
    }
    for (int index = 0; index < call->beside; index++) {
        const struct pollfd *other = &call->polled[call->count + (nfds_t)index];
        if (other->revents && !socksify_poll_advance(other->fd, other->revents)) ended++;
    }
    return ended;
}

static int poll_pending(struct poll_call *call) {
    int gathers = 0;
    for (;;) {
        int64_t limit = of_milliseconds(socksify_inspect_handshakes());
        if (!ON_LIBRARY_STACK_IF_THERE(substitute, call))
            return poll_relayed(call->given, call->count, call->end, call->signals);
        if (process_is_threaded()) limit = least(limit, LONGEST_SHARED_WAIT);
        int64_t left = until(call->end);
        nfds_t count = call->count + (nfds_t)call->beside;
        if (poll_for(call->polled, count, gathers ? 0 : least(left, limit), call->signals) < 0) return -1;
        int ready, ended = ON_LIBRARY_STACK_IF_THERE(advance, call, &ready);
        /* A socket whose handshake has ended may be ready: poll all descriptors again, at one time. */
        if (!ended && ready) {
            for (nfds_t index = 0; index < call->count; index++)
                call->given[index].revents = call->substituted[index] ? 0 : call->polled[index].revents;
            ready = withdraw_readiness(call->given, call->count, ready);
            if (ready) return ready;
        }
        if (!ended && until(call->end) == 0) {
            for (nfds_t index = 0; index < call->count; index++) call->given[index].revents = 0;
            return 0;
        }
        gathers = ended > 0;
    }
}

static int poll_in_memory(void *memory, void *context) {
    struct poll_call *call = context;
    call->polled = memory;
    call->substituted = (unsigned char *)(call->polled + call->count + MOST_BESIDE);
    return poll_pending(call);
}

static int any_may_be_pending(const struct pollfd *descriptors, nfds_t count) {
    for (nfds_t index = 0; index < count; index++)
        if (descriptor_may_be_pending(descriptors[index].fd)) return 1;
    return 0;
}

/* poll(2) while connections are pending. */
static int poll_beside(struct pollfd *descriptors, nfds_t count, int64_t end, const sigset_t *signals,
                       int besides) {
    struct poll_call call = {descriptors, count, end, signals, besides, NULL, 0, NULL};
    /* The kernel itself refuses a count that is too large (RLIMIT_NOFILE), and descriptors that cannot be read. */
    if (count > INT_MAX / sizeof *descriptors ||
        (count > 0 && !is_readable(descriptors, count * sizeof *descriptors)) ||
        !(pending_any_beside() || any_may_be_pending(descriptors, count)))
        return poll_relayed(descriptors, count, end, signals);
    size_t size = (count + MOST_BESIDE) * sizeof *call.polled + count * sizeof *call.substituted;
    return with_memory(size, poll_in_memory, &call);
}

int poll_until(struct pollfd *descriptors, nfds_t count, int64_t end, const sigset_t *signals) {
    return poll_beside(descriptors, count, end, signals, SOCKSIFY_BESIDES_NONE);
}

int poll_epoll_until(int epoll, int64_t end, const sigset_t *signals, int besides) {
    struct pollfd descriptor = {epoll, POLLIN, 0};
    return poll_beside(&descriptor, 1, end, signals, besides);
}
