/* Every call that waits for a socket, with one signature. */
#pragma once

#include "pending.h"

/* libc exports these, for checked calls or without a header. */
extern int __poll_chk(struct pollfd *entries, nfds_t count, int timeout, size_t room);
extern int __ppoll_chk(
    struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t room);
extern int __poll(struct pollfd *entries, nfds_t count, int timeout);
extern int __select(int count, fd_set *read, fd_set *write, fd_set *except, struct timeval *timeout);

/* Waits that many milliseconds, or without limit (-1), under a signal mask if the call has one. Returns the events,
 * 0 if there were none in that time, or -1 with errno. For select(2): IN, OUT, PRI for the three sets. */
typedef struct {
    const char *name;
    long (*wait)(int fd, unsigned events, int timeout, const sigset_t *mask);
    int has_mask;
} waiter;

unused static struct timespec *spec(int timeout) {
    static __thread struct timespec value;
    value = (struct timespec){timeout / 1000, timeout % 1000 * 1000000L};
    return timeout < 0 ? NULL : &value;
}

unused static struct timeval *val(int timeout) {
    static __thread struct timeval value;
    value = (struct timeval){timeout / 1000, timeout % 1000 * 1000L};
    return timeout < 0 ? NULL : &value;
}

#define POLLING(name, expression)                                                              \
    static long name(int fd, unsigned events, int timeout, const sigset_t *mask) {             \
        struct pollfd entry = {fd, (short)events, 0};                                          \
        (void)mask;                                                                            \
        int count = (int)(expression);                                                         \
        if (count > 1 || (count == 1) != (entry.revents != 0)) say("%s: count %d\n", #name, count); \
        return count < 0 ? -1 : entry.revents;                                                 \
    }

POLLING(by_poll, poll(&entry, 1, timeout))
POLLING(by_alias_poll, __poll(&entry, 1, timeout))
POLLING(by_poll_chk, __poll_chk(&entry, 1, timeout, sizeof entry))
POLLING(by_number_poll, syscall(SYS_poll, &entry, 1L, (long)timeout))
POLLING(by_ppoll, ppoll(&entry, 1, spec(timeout), mask))
POLLING(by_ppoll_chk, __ppoll_chk(&entry, 1, spec(timeout), mask, sizeof entry))
POLLING(by_number_ppoll, syscall(SYS_ppoll, &entry, 1L, spec(timeout), mask, 8L))

#define SELECTING(name, expression)                                                            \
    static long name(int fd, unsigned events, int timeout, const sigset_t *mask) {             \
        fd_set sets[3];                                                                        \
        static const unsigned bits[3] = {POLLIN, POLLOUT, POLLPRI};                            \
        unsigned result = 0;                                                                   \
        int wanted = 0;                                                                        \
        (void)mask;                                                                            \
        for (int index = 0; index < 3; index++) {                                              \
            FD_ZERO(&sets[index]);                                                             \
            if (events & bits[index]) FD_SET(fd, &sets[index]);                                \
        }                                                                                      \
        int count = (int)(expression);                                                         \
        if (count < 0) return -1;                                                              \
        for (int index = 0; index < 3; index++)                                                \
            if (FD_ISSET(fd, &sets[index])) result |= bits[index], wanted++;                   \
        if (count != wanted) say("%s: count %d of %d\n", #name, count, wanted);                \
        return result;                                                                         \
    }

SELECTING(by_select, select(fd + 1, &sets[0], &sets[1], &sets[2], val(timeout)))
SELECTING(by_alias_select, __select(fd + 1, &sets[0], &sets[1], &sets[2], val(timeout)))
SELECTING(by_number_select, syscall(SYS_select, fd + 1L, &sets[0], &sets[1], &sets[2], val(timeout)))
SELECTING(by_pselect, pselect(fd + 1, &sets[0], &sets[1], &sets[2], spec(timeout), mask))
SELECTING(by_number_pselect,
    syscall(SYS_pselect6, fd + 1L, &sets[0], &sets[1], &sets[2], spec(timeout), (const void *[]){mask, (void *)8}))

#define EPOLLING(name, expression)                                                             \
    static long name(int fd, unsigned events, int timeout, const sigset_t *mask) {             \
        /* Of these, only the first may be written to. */                                      \
        struct epoll_event room[3] = {{events, {.u64 = 0xfeedfacecafebeefu}}, {77, {.u64 = 78}}}; \
        int ep = epoll_create1(EPOLL_CLOEXEC);                                                 \
        (void)mask;                                                                            \
        require(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd, room) == 0);                       \
        room[0] = (struct epoll_event){0};                                                     \
        int count = (int)(expression);                                                         \
        int error = errno;                                                                     \
        if (count > 0 && room[0].data.u64 != 0xfeedfacecafebeefu) say("%s: foreign data\n", #name); \
        if (count > 1 || room[1].events != 77 || room[1].data.u64 != 78) say("%s: too many\n", #name); \
        close(ep);                                                                             \
        errno = error;                                                                         \
        return count <= 0 ? count : (long)room[0].events;                                      \
    }

EPOLLING(by_epoll_wait, epoll_wait(ep, room, 1, timeout))
EPOLLING(by_epoll_pwait, epoll_pwait(ep, room, 1, timeout, mask))
EPOLLING(by_epoll_pwait2, epoll_pwait2(ep, room, 1, spec(timeout), mask))
#ifdef SYS_epoll_wait
EPOLLING(by_number_epoll_wait, syscall(SYS_epoll_wait, (long)ep, room, 1L, (long)timeout))
#endif
EPOLLING(by_number_epoll_pwait, syscall(SYS_epoll_pwait, (long)ep, room, 1L, (long)timeout, mask, 8L))
EPOLLING(by_number_epoll_pwait2, syscall(SYS_epoll_pwait2, (long)ep, room, 1L, spec(timeout), mask, 8L))

static const waiter waiters[] = {
    {"poll", by_poll, 0}, {"__poll", by_alias_poll, 0}, {"__poll_chk", by_poll_chk, 0},
    {"SYS_poll", by_number_poll, 0}, {"ppoll", by_ppoll, 1}, {"__ppoll_chk", by_ppoll_chk, 1},
    {"SYS_ppoll", by_number_ppoll, 1}, {"select", by_select, 0}, {"__select", by_alias_select, 0},
    {"SYS_select", by_number_select, 0}, {"pselect", by_pselect, 1}, {"SYS_pselect6", by_number_pselect, 1},
    {"epoll_wait", by_epoll_wait, 0}, {"epoll_pwait", by_epoll_pwait, 1}, {"epoll_pwait2", by_epoll_pwait2, 1},
    {"SYS_epoll_wait", by_number_epoll_wait, 0}, {"SYS_epoll_pwait", by_number_epoll_pwait, 1},
    {"SYS_epoll_pwait2", by_number_epoll_pwait2, 1}, {0},
};

unused static const waiter *waiter_named(const char *name) {
    const waiter *result = waiters;
    while (result->name && strcmp(result->name, name) != 0) result++;
    require(result->name);
    return result;
}

unused static const char *wait_text(long result) {
    if (result < 0) return strerrorname_np(errno);
    return result == 0 ? "nothing" : event_names((unsigned)result);
}

unused static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
