#include "Misjudged.h"

#include "Datagrams.h"

static uint64_t renewals;

uint64_t count_of_renewals(void) {
    return __atomic_load_n(&renewals, __ATOMIC_SEQ_CST);
}

/* The same registration once more: one of EPOLLONESHOT is not used up then, unless `is_used_up` says that it is to be,
 * and by one of EPOLLET is told anew what is there. Returns 0 when the epoll does not watch the descriptor. */
static int renew(int epoll, int fd, struct watched_registration asked, int is_used_up) {
    struct watched_registration now;
    long result;
    for (;;) {
        /* What is exclusive is not modified, and never used up. */
        uint32_t events = asked.events & ~(uint32_t)EPOLLEXCLUSIVE;
        if (is_used_up && events & EPOLLONESHOT) events &= EPOLLONESHOT | (uint32_t)EPOLLET;
        result = kernel_epoll_ctl(epoll, EPOLL_CTL_MOD, fd, events, asked.data);
        /* What another thread asks for meanwhile is what is to be: it has noted that, or sees the count changed. */
        __atomic_fetch_add(&renewals, 1, __ATOMIC_SEQ_CST);
        if (watched_by(fd, epoll, &now) != 1 || (now.events == asked.events && now.data == asked.data)) break;
        asked = now;
        is_used_up = 0;
    }
    return result == 0 || (result == -EINVAL && asked.events & EPOLLEXCLUSIVE);
}

/* Whether an epoll that the kernel says has events has one of the program's. What is none of the program's goes from
 * the sockets that it watches. */
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

/* Whether events with the data may be about another descriptor, too. */
static int may_be_about_another(int fd, int epoll, uint64_t data) {
    struct watched_registration asked;
    for (int other = -1; (other = descriptor_next(other + 1, DESCRIPTOR_WATCHED)) >= 0;) {
        int found = other == fd ? 0 : watched_by(other, epoll, &asked);
        if (found < 0 || (found && asked.data == data)) return 1;
    }
    return 0;
}

enum { READABLE_EVENTS = EPOLLIN | EPOLLRDNORM };

/* Takes from an event that may be about the descriptor that there is something to be read, if for the program there is
 * nothing. */
static void judge(struct epoll_event *event, int epoll, int fd, struct watched_registration asked) {
    uint32_t others = event->events & ~(uint32_t)READABLE_EVENTS;
    if (others == event->events || others & (EPOLLERR | EPOLLHUP | EPOLLRDHUP) || has_input(fd) ||
        may_be_about_another(fd, epoll, asked.data))
        return;
    /* What is noted may be of an epoll that had the number before. */
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
