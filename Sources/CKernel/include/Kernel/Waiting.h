/* Whether descriptors are ready. */
#pragma once

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

#include "Call.h"
#include "Signals.h"

/* Waits by pselect6(2) until a descriptor is ready for POLLIN or POLLOUT or has an error: 1, or 0 when the time is
 * over; NULL waits without limit. `signals`, if given, is the signal mask during the wait. For processes with an
 * RLIMIT_NOFILE of 0, in which ppoll(2) fails. */
enum { SELECT_LARGEST = 8192, SELECT_WORD_BITS = 8 * sizeof(long) };
struct select_set {
    unsigned long words[SELECT_LARGEST / SELECT_WORD_BITS];
};
static inline long kernel_select(int fd, int event, const struct timespec *_Nullable limit,
                                 const uint64_t *_Nullable signals, struct select_set *_Nonnull set) {
    if (fd < 0 || fd >= SELECT_LARGEST) return -EINVAL;
    for (int word = 0; word <= fd / SELECT_WORD_BITS; word++) set->words[word] = 0;
    set->words[fd / SELECT_WORD_BITS] = 1UL << (fd % SELECT_WORD_BITS);
    struct timespec left = {0, 0};
    if (limit) left = *limit;
    const struct {
        const uint64_t *signals;
        size_t size;
    } mask = {signals, KERNEL_SIGNALS_SIZE};
    return kernel_call(SYS_pselect6, fd + 1, event == POLLIN ? (long)set : 0, event == POLLIN ? 0 : (long)set, 0,
                       limit ? (long)&left : 0, (long)&mask);
}

/* The current events among `events`, POLLERR, POLLHUP and POLLNVAL; 0 if there are none. */
long kernel_poll_now(int fd, int events);

/* epoll_ctl(2) */
static inline long kernel_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return kernel_call(SYS_epoll_ctl, epoll, operation, fd, (long)&event, 0, 0);
}
