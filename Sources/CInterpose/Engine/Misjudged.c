#include "Misjudged.h"

#include "Datagrams.h"

static uint64_t renewals;

uint64_t count_of_renewals(void) {
    return __atomic_load_n(&renewals, __ATOMIC_SEQ_CST);
}

/* Renews the registration: EPOLLONESHOT is then armed again, unless `is_used_up`, and EPOLLET reports present events
 * again. Returns 0 if the epoll does not watch the descriptor. */
static int renew(int epoll, int fd, struct watched_registration asked, int is_used_up) {
    struct watched_registration now;
    long result;
    for (;;) {
        /* An exclusive registration cannot be modified, and is never used up. */
        uint32_t events = asked.events & ~(uint32_t)EPOLLEXCLUSIVE;
        if (is_used_up && events & EPOLLONESHOT) events &= EPOLLONESHOT | (uint32_t)EPOLLET;
        result = kernel_epoll_ctl(epoll, EPOLL_CTL_MOD, fd, events, asked.data);
        /* A newer registration by another thread wins: that thread has recorded it, or sees that the count changed. */
        __atomic_fetch_add(&renewals, 1, __ATOMIC_SEQ_CST);
        if (watched_by(fd, epoll, &now) != 1 || (now.events == asked.events && now.data == asked.data)) break;
        asked = now;
        is_used_up = 0;
    }
    return result == 0 || (result == -EINVAL && asked.events & EPOLLEXCLUSIVE);
}

/* Whether an epoll that the kernel reports as ready has an event for the program. Drops datagrams that the program must
 * not see from the sockets that it watches. */
static __attribute__((noinline)) int epoll_has_events(int epoll) {
    struct watched_registration asked;
    int was_empty = 0;
    for (int fd = -1; (fd = descriptor_next(fd + 1, DESCRIPTOR_RELAYED)) >= 0;)
        if (watched_by(fd, epoll, &asked) == 1 && !relayed_is_readable(fd)) was_empty = 1;
    return !was_empty || process_is_confined() || kernel_poll_now(epoll, POLLIN) != 0;
}

static int has_input(int fd) {
    return descriptor_mark(fd) & DESCRIPTOR_RELAYED ? relayed_is_readable(fd) : epoll_has_events(fd);
}

/* Whether events with this data may also belong to another descriptor. */
static int may_be_about_another(int fd, int epoll, uint64_t data) {
    struct watched_registration asked;
    for (int other = -1; (other = descriptor_next(other + 1, DESCRIPTOR_WATCHED)) >= 0;) {
        int found = other == fd ? 0 : watched_by(other, epoll, &asked);
        if (found < 0 || (found && asked.data == data)) return 1;
    }
    return 0;
}

enum { READABLE_EVENTS = EPOLLIN | EPOLLRDNORM };

/* Removes EPOLLIN from an event that may belong to the descriptor, if the program has nothing to read there. */
static void judge(struct epoll_event *event, int epoll, int fd, struct watched_registration asked) {
    uint32_t others = event->events & ~(uint32_t)READABLE_EVENTS;
    if (others == event->events || others & (EPOLLERR | EPOLLHUP | EPOLLRDHUP) || has_input(fd) ||
        may_be_about_another(fd, epoll, asked.data))
        return;
    /* The record may belong to an earlier epoll with the same number. */
    if (renew(epoll, fd, asked, others != 0)) event->events = others;
}

int withdraw_readiness(struct pollfd *descriptors, nfds_t count, int ready) {
    if (ready <= 0 || !relayed_any(pending_word())) return ready;
    for (nfds_t index = 0; index < count; index++) {
        struct pollfd *found = &descriptors[index];
        if (!(found->revents & (POLLIN | POLLRDNORM)) || found->revents & (POLLERR | POLLHUP | POLLNVAL) ||
            !may_be_misjudged(found->fd) ||
            (descriptor_may_be_relayed(found->fd) ? relayed_has_datagram(found->fd) : epoll_has_events(found->fd)))
            continue;
        found->revents &= ~(POLLIN | POLLRDNORM);
        if (!found->revents) ready--;
    }
    return ready;
}

int withhold_events(int epoll, struct epoll_event *events, int count) {
    for (int fd = -1; (fd = descriptor_next(fd + 1, MISJUDGED)) >= 0;) {
        struct watched_registration asked;
        if (watched_by(fd, epoll, &asked) != 1 || !(asked.events & READABLE_EVENTS)) continue;
        for (int index = 0; index < count; index++)
            if (events[index].data.u64 == asked.data) judge(&events[index], epoll, fd, asked);
    }
    int kept = 0;
    for (int index = 0; index < count; index++)
        if (events[index].events) events[kept++] = events[index];
    return kept;
}
