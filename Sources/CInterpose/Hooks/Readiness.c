/* Calls that wait until something is ready. */
#include "Interpose.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "Engine/Durations.h"
#include "Engine/EpollWait.h"
#include "Engine/Misjudged.h"
#include "Engine/PollWait.h"
#include "Engine/SelectWait.h"

/* ----- epoll ----- */

static int made_epoll(int epoll) {
    descriptor_set_mark(epoll, DESCRIPTOR_EPOLL | DESCRIPTOR_NOTED_EPOLL);
    return epoll;
}

int epoll_create(int size) {
    return made_epoll(REAL(epoll_create)(size));
}

int epoll_create1(int flags) {
    return made_epoll(REAL(epoll_create1)(flags));
}

/* An epoll_ctl(2) has succeeded. */
static void note_registration(int epoll, int operation, int fd, const struct epoll_event *event) {
    if (operation == EPOLL_CTL_DEL)
        watched_forget(fd, epoll);
    else
        watched_note(fd, epoll, event->events, event->data.u64);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
    int has_event = operation != EPOLL_CTL_DEL;
    if (descriptor_may_be_pending(fd) && (!has_event || is_readable(event, sizeof *event))) {
        int result = socksify_epoll_ctl(epoll, operation, fd, has_event ? event->events : 0,
                                        has_event ? event->data.u64 : 0);
        if (result == 0) note_registration(epoll, operation, fd, event);
        if (result != SOCKSIFY_PASS) return returned(result);
    }
    uint64_t before = count_of_renewals();
    int result = REAL(epoll_ctl)(epoll, operation, fd, event);
    if (result != 0) return result;
    note_registration(epoll, operation, fd, event);
    /* Another thread that connects the socket has either found the record, or set a mark before it looked. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* A thread that renews a registration has found the record, or may have restored the former one. */
    if (has_event && descriptor_mark(fd) & MISJUDGED && count_of_renewals() != before)
        kernel_epoll_ctl(epoll, EPOLL_CTL_MOD, fd, event->events, event->data.u64);
    if (has_event && descriptor_may_be_pending(fd)) socksify_epoll_adopt(epoll, fd, event->events, event->data.u64);
    return 0;
}

static int call_wait(const struct epoll_call *call, int64_t duration) {
    return REAL(epoll_wait)(call->epoll, call->events, call->room, milliseconds_of(duration));
}

static int call_pwait(const struct epoll_call *call, int64_t duration) {
    return REAL(epoll_pwait)(call->epoll, call->events, call->room, milliseconds_of(duration), call->signals);
}

static int call_pwait2(const struct epoll_call *call, int64_t duration) {
    struct timespec timeout = timespec_of(duration);
    return REAL(epoll_pwait2)(call->epoll, call->events, call->room, duration == FOREVER ? NULL : &timeout,
                              call->signals);
}

/* Whether there is only one thread, and nothing is pending or relayed. */
static inline int is_simple_wait(void) {
    return pending_is_undisturbed(pending_word()) && !process_is_threaded();
}

static __attribute__((noinline)) int epoll_wait_beside_others(int epoll, struct epoll_event *events, int room,
                                                              int timeout) {
    return epoll_wait_beside(&(struct epoll_call){call_wait, epoll, events, room, NULL}, of_milliseconds(timeout));
}

int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout) {
    __typeof__(&epoll_wait) known = KNOWN(epoll_wait);
    if (is_simple_wait() && known) return known(epoll, events, room, timeout);
    return epoll_wait_beside_others(epoll, events, room, timeout);
}

static __attribute__((noinline)) int epoll_pwait_beside_others(int epoll, struct epoll_event *events, int room,
                                                               int timeout, const sigset_t *signals) {
    return epoll_wait_beside(&(struct epoll_call){call_pwait, epoll, events, room, signals},
                             of_milliseconds(timeout));
}

int epoll_pwait(int epoll, struct epoll_event *events, int room, int timeout, const sigset_t *signals) {
    __typeof__(&epoll_pwait) known = KNOWN(epoll_pwait);
    if (is_simple_wait() && known) return known(epoll, events, room, timeout, signals);
    return epoll_pwait_beside_others(epoll, events, room, timeout, signals);
}

int epoll_pwait2(int epoll, struct epoll_event *events, int room, const struct timespec *timeout,
                 const sigset_t *signals) {
    if (is_simple_wait() || !is_duration(timeout)) return REAL(epoll_pwait2)(epoll, events, room, timeout, signals);
    return epoll_wait_beside(&(struct epoll_call){call_pwait2, epoll, events, room, signals}, of_timespec(timeout));
}

/* ----- poll ----- */

int poll(struct pollfd *descriptors, nfds_t count, int timeout) {
    if (pending_is_undisturbed(pending_word())) return REAL(poll)(descriptors, count, timeout);
    return poll_until(descriptors, count, end_of(of_milliseconds(timeout)), NULL);
}

int __poll(struct pollfd *descriptors, nfds_t count, int timeout) __attribute__((alias("poll")));

int ppoll(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const sigset_t *signals) {
    if (pending_is_undisturbed(pending_word()) || !is_duration(timeout))
        return REAL(ppoll)(descriptors, count, timeout, signals);
    return poll_until(descriptors, count, end_of(of_timespec(timeout)), signals);
}

/* libc ends the program for an array that is too short. */

int __poll_chk(struct pollfd *descriptors, nfds_t count, int timeout, size_t room) {
    if (pending_is_undisturbed(pending_word()) || room / sizeof *descriptors < count)
        return REAL(__poll_chk)(descriptors, count, timeout, room);
    return poll(descriptors, count, timeout);
}

int __ppoll_chk(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const sigset_t *signals,
                size_t room) {
    if (pending_is_undisturbed(pending_word()) || room / sizeof *descriptors < count)
        return REAL(__ppoll_chk)(descriptors, count, timeout, signals, room);
    return ppoll(descriptors, count, timeout, signals);
}

/* ----- select ----- */

int select(int end, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout) {
    struct select_call call = {{readable, writable, exceptional}, end, 0, 0, NULL};
    if (!select_is_concerned(&call) ||
        (timeout && (!is_readable(timeout, sizeof *timeout) || timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return REAL(select)(end, readable, writable, exceptional, timeout);
    int64_t duration = FOREVER;
    if (timeout && timeout->tv_sec < FOREVER / NANOSECONDS_IN_SECOND - timeout->tv_usec / 1000000 - 1)
        duration = (int64_t)timeout->tv_sec * NANOSECONDS_IN_SECOND + (int64_t)timeout->tv_usec * 1000;
    call.end = end_of(duration);
    int result = select_pending(&call);
    /* The remaining time, as the kernel does. */
    if (timeout && duration != FOREVER) {
        int64_t left = until(call.end);
        *timeout = (struct timeval){left / NANOSECONDS_IN_SECOND, left % NANOSECONDS_IN_SECOND / 1000};
    }
    return result;
}

int __select(int end, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout)
    __attribute__((alias("select")));

int pselect(int end, fd_set *readable, fd_set *writable, fd_set *exceptional, const struct timespec *timeout,
            const sigset_t *signals) {
    struct select_call call = {{readable, writable, exceptional}, end, 0, 0, signals};
    if (!select_is_concerned(&call) || !is_duration(timeout))
        return REAL(pselect)(end, readable, writable, exceptional, timeout, signals);
    call.end = end_of(of_timespec(timeout));
    return select_pending(&call);
}
