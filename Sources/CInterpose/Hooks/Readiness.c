/* Calls that wait until something is ready. A socket in flight is ready for nothing; while the program waits for it, it
 * goes on.
 *
 * In C, because the program's thread waits here, and may be cancelled: no frame of Swift lies between. */
#include "Interpose.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include "Engine/Datagrams.h"

/* ----- Time, in nanoseconds ----- */

#define FOREVER INT64_MAX
#define NANOSECONDS_IN_MILLISECOND INT64_C(1000000)
#define NANOSECONDS_IN_SECOND INT64_C(1000000000)

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * NANOSECONDS_IN_SECOND + time.tv_nsec;
}

static int64_t of_milliseconds(long milliseconds) {
    return milliseconds < 0 ? FOREVER : milliseconds * NANOSECONDS_IN_MILLISECOND;
}

static int64_t of_timespec(const struct timespec *time) {
    if (!time || time->tv_sec >= FOREVER / NANOSECONDS_IN_SECOND) return FOREVER;
    return (int64_t)time->tv_sec * NANOSECONDS_IN_SECOND + time->tv_nsec;
}

static struct timespec timespec_of(int64_t duration) {
    return (struct timespec){duration / NANOSECONDS_IN_SECOND, duration % NANOSECONDS_IN_SECOND};
}

/* Rounded up, so that no wait is shorter than it was asked to be. */
static int milliseconds_of(int64_t duration) {
    if (duration == FOREVER) return -1;
    int64_t rounded = (duration + NANOSECONDS_IN_MILLISECOND - 1) / NANOSECONDS_IN_MILLISECOND;
    return rounded > INT_MAX ? INT_MAX : (int)rounded;
}

/* Whether the kernel takes it; no time is taken, too. */
static int is_duration(const struct timespec *time) {
    return !time || (time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < NANOSECONDS_IN_SECOND);
}

static int64_t end_of(int64_t duration) {
    if (duration == FOREVER) return FOREVER;
    int64_t start = now();
    return duration > FOREVER - start ? FOREVER : start + duration;
}

static int64_t until(int64_t end) {
    if (end == FOREVER) return FOREVER;
    int64_t left = end - now();
    return left > 0 ? left : 0;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

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

/* Descriptors of which the kernel may say that there is something to be read when for the program there is not. */
enum { MISJUDGED = DESCRIPTOR_CARRIED | DESCRIPTOR_EPOLL };

/* How often a registration of the program's was made anew because it was not told of an event. */
static uint64_t renewals;

static uint64_t count_of_renewals(void) {
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

/* An epoll_ctl(2) has succeeded. */
static void note_registration(int epoll, int operation, int fd, const struct epoll_event *event) {
    if (operation == EPOLL_CTL_DEL)
        watched_forget(fd, epoll);
    else
        watched_note(fd, epoll, event->events, event->data.u64);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
    int has_event = operation != EPOLL_CTL_DEL;
    if (may_be_in_flight(fd) && (!has_event || is_readable(event, sizeof *event))) {
        int result = socksify_epoll_ctl(epoll, operation, fd, has_event ? event->events : 0,
                                        has_event ? event->data.u64 : 0);
        if (result == 0) note_registration(epoll, operation, fd, event);
        if (result != SOCKSIFY_PASS) return returned(result);
    }
    uint64_t before = count_of_renewals();
    int result = REAL(epoll_ctl)(epoll, operation, fd, event);
    if (result != 0) return result;
    note_registration(epoll, operation, fd, event);
    /* Another thread that makes the socket connect has either found the note, or left a mark before it looked. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* Or one that makes a registration anew has found the note, or may have made the former one. */
    if (has_event && descriptor_mark(fd) & MISJUDGED && count_of_renewals() != before)
        kernel_epoll_ctl(epoll, EPOLL_CTL_MOD, fd, event->events, event->data.u64);
    if (has_event && may_be_in_flight(fd)) socksify_epoll_adopt(epoll, fd, event->events, event->data.u64);
    return 0;
}

/* A wait on an epoll, whichever function it is. */
struct epoll_call {
    int (*wait)(const struct epoll_call *call, int64_t duration);
    int epoll;
    struct epoll_event *events;
    int room;
    const sigset_t *signals;
};

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

/* Takes the library's events out, and returns how many are left: the program's. */
static int take_events(struct epoll_event *events, int count) {
    int kept = 0;
    for (int index = 0; index < count; index++) {
        if (socksify_take_event(events[index].data.u64, events[index].events)) continue;
        if (kept != index) events[kept] = events[index];
        kept++;
    }
    return kept;
}

__attribute__((noinline)) int is_ready_now(int fd, short events) {
    return kernel_poll_now(fd, events) != 0;
}

/* Whether an epoll that the kernel says has events has one of the program's. What is none of the program's goes from
 * the sockets that it watches. */
static __attribute__((noinline)) int epoll_has_events(int epoll) {
    struct watched_registration asked;
    int was_empty = 0;
    for (int fd = -1; (fd = descriptor_next(fd + 1, DESCRIPTOR_CARRIED)) >= 0;)
        if (watched_by(fd, epoll, &asked) == 1 && !carried_is_readable(fd)) was_empty = 1;
    return !was_empty || process_is_confined() || is_ready_now(epoll, POLLIN);
}

static int has_input(int fd) {
    return descriptor_mark(fd) & DESCRIPTOR_CARRIED ? carried_is_readable(fd) : epoll_has_events(fd);
}

static int may_be_misjudged(int fd) {
    return any_carried(in_flight_word()) && descriptor_mark(fd) & MISJUDGED;
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

/* Takes out the events that are about nothing for the program, and returns how many are left. */
static int withhold(const struct epoll_call *call, int count) {
    for (int fd = -1; (fd = descriptor_next(fd + 1, MISJUDGED)) >= 0;) {
        struct watched_registration asked;
        if (watched_by(fd, call->epoll, &asked) != 1 || !(asked.events & READABLE_EVENTS)) continue;
        for (int index = 0; index < count; index++)
            if (call->events[index].data.u64 == asked.data) judge(&call->events[index], call->epoll, fd, asked);
    }
    int kept = 0;
    for (int index = 0; index < count; index++)
        if (call->events[index].events) call->events[kept++] = call->events[index];
    return kept;
}

/* Leaves the program's events alone, and returns how many they are. `before`: in_flight_word() before the wait. */
static __attribute__((noinline)) int programs_events(const struct epoll_call *call, int count, uint64_t before) {
    uint64_t now = in_flight_word();
    if (count > 0 && (any_in_flight(before) || now != before))
        count = ON_LIBRARY_STACK_IF_THERE(take_events, call->events, count);
    return count > 0 && any_carried(now) ? withhold(call, count) : count;
}

/* Returns the nanoseconds after which to look again. */
static int64_t prepare_to_wait(int epoll) {
    int64_t limit = of_milliseconds(socksify_inspect_handshakes());
    socksify_audit_epoll(epoll);
    return any_errands() ? least(limit, of_milliseconds(socksify_watch_errands(epoll))) : limit;
}

/* What asks the Swift side more than once changes the stack once for all of it. */

static int wait_for_epoll(const struct epoll_call *call, int64_t duration);

/* A wait where an event may be the library's, or about datagrams that are none of the program's. */
static int wait_disturbed(const struct epoll_call *call, int64_t end) {
    for (;;) {
        uint64_t before = in_flight_word();
        int64_t limit = any_in_flight(before) ? ON_LIBRARY_STACK_IF_THERE(prepare_to_wait, call->epoll) : FOREVER;
        if (any_carried(before) && !(descriptor_mark(call->epoll) & DESCRIPTOR_NOTED_EPOLL))
            socksify_note_epoll(call->epoll);
        int64_t left = until(end), longest = least(left, limit);
        if (longest > 0 && call->room > 0 && any_unwatched()) {
            if (wait_for_epoll(call, longest) < 0) return -1;
            longest = 0;
        }
        int count = call->wait(call, longest);
        if (count < 0) return count;
        int kept = programs_events(call, count, before);
        if (kept > 0) return kept;
        /* After an event that the program is not told of there may be one of the program's at once. */
        if (count == 0 && left <= limit && until(end) == 0) return 0;
    }
}

/* A wait while other threads run: one may begin a handshake meanwhile, and then an event may be the library's. */
static int wait_beside_others(const struct epoll_call *call, int64_t duration) {
    uint64_t before = in_flight_word();
    int64_t end = duration > 0 ? end_of(duration) : 0;
    if (!is_undisturbed(before)) return wait_disturbed(call, end);
    int count = call->wait(call, duration);
    if (count <= 0 || in_flight_word() == before) return count;
    int kept = programs_events(call, count, before);
    return kept > 0 ? kept : wait_disturbed(call, end);
}

/* Of one thread alone, with nothing in flight, and nothing carried. */
static inline int is_simple_wait(void) {
    return is_undisturbed(in_flight_word()) && !process_is_threaded();
}

static __attribute__((noinline)) int epoll_wait_beside_others(int epoll, struct epoll_event *events, int room,
                                                              int timeout) {
    return wait_beside_others(&(struct epoll_call){call_wait, epoll, events, room, NULL}, of_milliseconds(timeout));
}

int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout) {
    __typeof__(&epoll_wait) known = KNOWN(epoll_wait);
    if (is_simple_wait() && known) return known(epoll, events, room, timeout);
    return epoll_wait_beside_others(epoll, events, room, timeout);
}

static __attribute__((noinline)) int epoll_pwait_beside_others(int epoll, struct epoll_event *events, int room,
                                                               int timeout, const sigset_t *signals) {
    return wait_beside_others(&(struct epoll_call){call_pwait, epoll, events, room, signals},
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
    return wait_beside_others(&(struct epoll_call){call_pwait2, epoll, events, room, signals}, of_timespec(timeout));
}

/* ----- poll ----- */

/* How long poll may wait for a socket that another thread could bring to its end: poll is not told of that. */
#define LONGEST_SHARED_WAIT (50 * NANOSECONDS_IN_MILLISECOND)

/* The descriptors that are waited for beside those that the program polls: the library's own, and sockets in flight
 * that go on in any call. More of them take turns. */
#define MOST_BESIDE 64

struct poll_call {
    struct pollfd *given;
    nfds_t count;
    int64_t end;
    const sigset_t *signals;
    /* Whether it is an epoll that is polled. */
    int is_for_epoll;
    /* What is polled in the place of `given`, what is polled beside it, and in which of it a socket in flight has other
     * events. */
    struct pollfd *polled;
    int beside;
    unsigned char *substituted;
};

static int poll_for(struct pollfd *descriptors, nfds_t count, int64_t duration, const sigset_t *signals) {
    struct timespec timeout = timespec_of(duration);
    return REAL(ppoll)(descriptors, count, duration == FOREVER ? NULL : &timeout, signals);
}

/* Takes POLLIN from sockets of datagrams of which a call that waits would get nothing, as the kernel does where
 * checksums are wrong, and from epolls that have no other events. Returns how many of `ready` descriptors are left. */
static int withdraw(struct pollfd *descriptors, nfds_t count, int ready) {
    if (ready <= 0 || !any_carried(in_flight_word())) return ready;
    for (nfds_t index = 0; index < count; index++) {
        struct pollfd *found = &descriptors[index];
        if (!(found->revents & (POLLIN | POLLRDNORM)) || found->revents & (POLLERR | POLLHUP | POLLNVAL) ||
            !may_be_misjudged(found->fd) ||
            (may_be_carried(found->fd) ? carried_has_datagram(found->fd) : epoll_has_events(found->fd)))
            continue;
        found->revents &= ~(POLLIN | POLLRDNORM);
        if (!found->revents) ready--;
    }
    return ready;
}

static int poll_carried(struct pollfd *descriptors, nfds_t count, int64_t end, const sigset_t *signals) {
    for (;;) {
        int ready = poll_for(descriptors, count, until(end), signals);
        if (ready <= 0) return ready;
        ready = withdraw(descriptors, count, ready);
        if (ready > 0 || until(end) == 0) return ready;
    }
}

/* Fills in what is polled. Returns whether any of it is in flight. */
static int substitute(struct poll_call *call) {
    uint64_t in_flight = 0;
    for (nfds_t index = 0; index < call->count; index++) {
        struct pollfd *polled = &call->polled[index];
        *polled = call->given[index];
        polled->revents = 0;
        short interest = may_be_in_flight(polled->fd) ? socksify_poll_interest(polled->fd) : 0;
        call->substituted[index] = interest != 0;
        if (!interest) continue;
        polled->events = interest;
        in_flight++;
    }
    struct pollfd *beside = call->polled + call->count;
    call->beside = any_errands() ? socksify_errands(beside, MOST_BESIDE) : 0;
    if (call->is_for_epoll ? any_unwatched() : unattended_count() > in_flight)
        call->beside += socksify_unattended(beside + call->beside, MOST_BESIDE - call->beside, call->is_for_epoll);
    return in_flight > 0 || call->beside > 0;
}

/* Goes on with the sockets in flight that are ready. Returns how many are in flight no more; the number of other
 * descriptors that are ready goes to `ready`. */
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

static int poll_in_flight(struct poll_call *call) {
    int gathers = 0;
    for (;;) {
        int64_t limit = of_milliseconds(socksify_inspect_handshakes());
        if (!ON_LIBRARY_STACK_IF_THERE(substitute, call))
            return poll_carried(call->given, call->count, call->end, call->signals);
        if (process_is_threaded()) limit = least(limit, LONGEST_SHARED_WAIT);
        int64_t left = until(call->end);
        nfds_t count = call->count + (nfds_t)call->beside;
        if (poll_for(call->polled, count, gathers ? 0 : least(left, limit), call->signals) < 0) return -1;
        int ready, ended = ON_LIBRARY_STACK_IF_THERE(advance, call, &ready);
        /* What has come to its end may be ready: everything is looked at once more, at one time. */
        if (!ended && ready) {
            for (nfds_t index = 0; index < call->count; index++)
                call->given[index].revents = call->substituted[index] ? 0 : call->polled[index].revents;
            ready = withdraw(call->given, call->count, ready);
            if (ready) return ready;
        }
        if (!ended && until(call->end) == 0) {
            for (nfds_t index = 0; index < call->count; index++) call->given[index].revents = 0;
            return 0;
        }
        gathers = ended > 0;
    }
}

/* The library's memory, size 0, or a mapping. */
struct mapping {
    void *start;
    size_t size;
};

static void give_back(void *mapping) {
    const struct mapping *mapped = mapping;
    if (mapped->size)
        kernel_unmap(mapped->start, mapped->size);
    else
        library_memory_give_back(mapped->start);
}

/* Runs `body` with memory of its own: on the stack where it is little, because a thread may have no more. */
static int with_memory(size_t size, int (*body)(void *memory, void *context), void *context) {
    if (size <= 768) {
        _Alignas(struct pollfd) char memory[768];
        return body(memory, context);
    }
    int result;
    struct mapping mapping = {0};
    if (size <= LIBRARY_MEMORY_SIZE) {
        mapping.start = library_memory_take();
    } else {
        long mapped = kernel_map(size);
        if (mapped > 0) mapping = (struct mapping){(void *)mapped, size};
    }
    if (!mapping.start) {
        errno = ENOMEM;
        return -1;
    }
    pthread_cleanup_push(give_back, &mapping);
    result = body(mapping.start, context);
    pthread_cleanup_pop(1);
    return result;
}

static int poll_in_memory(void *memory, void *context) {
    struct poll_call *call = context;
    call->polled = memory;
    call->substituted = (unsigned char *)(call->polled + call->count + MOST_BESIDE);
    return poll_in_flight(call);
}

static int any_may_be_in_flight(const struct pollfd *descriptors, nfds_t count) {
    for (nfds_t index = 0; index < count; index++)
        if (may_be_in_flight(descriptors[index].fd)) return 1;
    return 0;
}

/* poll where something is in flight. */
static int poll_beside(struct pollfd *descriptors, nfds_t count, int64_t end, const sigset_t *signals,
                       int is_for_epoll) {
    struct poll_call call = {descriptors, count, end, signals, is_for_epoll, NULL, 0, NULL};
    /* A count that the kernel refuses (RLIMIT_NOFILE), or descriptors that nobody can read, it refuses by itself. */
    if (count > INT_MAX / sizeof *descriptors ||
        (count > 0 && !is_readable(descriptors, count * sizeof *descriptors)) ||
        !(any_beside() || any_may_be_in_flight(descriptors, count)))
        return poll_carried(descriptors, count, end, signals);
    size_t size = (count + MOST_BESIDE) * sizeof *call.polled + count * sizeof *call.substituted;
    return with_memory(size, poll_in_memory, &call);
}

static int poll_until(struct pollfd *descriptors, nfds_t count, int64_t end, const sigset_t *signals) {
    return poll_beside(descriptors, count, end, signals, 0);
}

/* Waits until the epoll has events, or the time is over; other handshakes go on. */
static int wait_for_epoll(const struct epoll_call *call, int64_t duration) {
    struct pollfd descriptor = {call->epoll, POLLIN, 0};
    return poll_beside(&descriptor, 1, end_of(duration), call->signals, 1);
}

/* When the socket's own limit ends a call that begins now (socket(7), SO_RCVTIMEO, SO_SNDTIMEO). */
static int64_t end_of_call(int fd, unsigned flags) {
    struct timeval limit;
    int option = flags & SOCKSIFY_SENDING ? SO_SNDTIMEO : SO_RCVTIMEO;
    if (kernel_getsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit) != 0 || (!limit.tv_sec && !limit.tv_usec))
        return FOREVER;
    struct timespec duration = {limit.tv_sec, limit.tv_usec * 1000};
    return end_of(of_timespec(&duration));
}

#define A_MOMENT (5 * NANOSECONDS_IN_MILLISECOND)

int sleep_beside_handshakes(const struct timespec *duration, const sigset_t *signals) {
    return poll_until(NULL, 0, end_of(of_timespec(duration)), signals);
}

int go_on_for_a_moment(void) {
    return poll_until(NULL, 0, end_of(A_MOMENT), NULL) >= 0 || errno != EINTR || !some_handler_interrupts();
}

/* Whether a call on the descriptor waits. It takes a stack that is given back before it does. */
static __attribute__((noinline)) int is_to_wait(int fd, short events) {
    long status = process_is_confined() ? -1 : kernel_status_flags(fd);
    return status >= 0 && !(status & O_NONBLOCK) && !is_ready_now(fd, events);
}

int wait_beside_handshakes(int fd, unsigned flags) {
    short events = flags & SOCKSIFY_SENDING ? POLLOUT : POLLIN;
    if (!is_to_wait(fd, events)) return 1;
    int64_t end = end_of_call(fd, flags);
    while (any_beside()) {
        struct pollfd descriptor = {fd, events, 0};
        int ready = poll_until(&descriptor, 1, end, NULL);
        if (ready > 0) return 1;
        if (ready == 0) {
            errno = EAGAIN;
            return 0;
        }
        if (errno != EINTR || some_handler_interrupts()) return 0;
    }
    return 1;
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout) {
    if (is_undisturbed(in_flight_word())) return REAL(poll)(descriptors, count, timeout);
    return poll_until(descriptors, count, end_of(of_milliseconds(timeout)), NULL);
}

int __poll(struct pollfd *descriptors, nfds_t count, int timeout) __attribute__((alias("poll")));

int ppoll(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const sigset_t *signals) {
    if (is_undisturbed(in_flight_word()) || !is_duration(timeout))
        return REAL(ppoll)(descriptors, count, timeout, signals);
    return poll_until(descriptors, count, end_of(of_timespec(timeout)), signals);
}

/* libc ends the program for an array that is too short. */

int __poll_chk(struct pollfd *descriptors, nfds_t count, int timeout, size_t room) {
    if (is_undisturbed(in_flight_word()) || room / sizeof *descriptors < count)
        return REAL(__poll_chk)(descriptors, count, timeout, room);
    return poll(descriptors, count, timeout);
}

int __ppoll_chk(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const sigset_t *signals,
                size_t room) {
    if (is_undisturbed(in_flight_word()) || room / sizeof *descriptors < count)
        return REAL(__ppoll_chk)(descriptors, count, timeout, signals, room);
    return ppoll(descriptors, count, timeout, signals);
}

/* ----- select, by poll ----- */

/* Which events of poll make a descriptor ready in each of the three sets, as the kernel has it. */
enum {
    READABLE = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
    WRITABLE = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR,
    EXCEPTIONAL = POLLPRI,
};

static const short set_events[3] = {READABLE & ~(POLLHUP | POLLERR), WRITABLE & ~POLLERR, EXCEPTIONAL};
static const short set_results[3] = {READABLE, WRITABLE, EXCEPTIONAL};

struct select_call {
    fd_set *sets[3];
    int end_of_sets;
    nfds_t count;
    int64_t end;
    const sigset_t *signals;
};

/* By words, because programs have sets that are longer than an fd_set. */
static unsigned long *word_of(fd_set *set, int fd) {
    return (unsigned long *)set + (unsigned)fd / (8 * sizeof(long));
}

static unsigned long bit_of(int fd) {
    return 1UL << ((unsigned)fd % (8 * sizeof(long)));
}

static short wanted(const struct select_call *call, int fd) {
    short events = 0;
    for (int set = 0; set < 3; set++)
        if (call->sets[set] && (*word_of(call->sets[set], fd) & bit_of(fd))) events |= set_events[set];
    return events;
}

/* Takes the descriptors that are not ready out of the sets, and returns what select does. */
static int conclude(const struct select_call *call, const struct pollfd *descriptors) {
    int ready = 0;
    for (nfds_t index = 0; index < call->count; index++) {
        const struct pollfd *found = &descriptors[index];
        int fd = found->fd < 0 ? ~found->fd : found->fd;
        for (int set = 0; set < 3; set++) {
            if (!call->sets[set] || !(*word_of(call->sets[set], fd) & bit_of(fd))) continue;
            if (found->fd >= 0 && (found->revents & set_results[set]))
                ready++;
            else
                *word_of(call->sets[set], fd) &= ~bit_of(fd);
        }
    }
    return ready;
}

static int is_ready(const struct select_call *call, const struct pollfd *found) {
    for (int set = 0; set < 3; set++)
        if (call->sets[set] && (found->revents & set_results[set]) &&
            (*word_of(call->sets[set], found->fd) & bit_of(found->fd)))
            return 1;
    return 0;
}

static int select_in_memory(void *memory, void *context) {
    const struct select_call *call = context;
    struct pollfd *descriptors = memory;
    nfds_t count = 0;
    for (int fd = 0; fd < call->end_of_sets && count < call->count; fd++) {
        short events = wanted(call, fd);
        if (events) descriptors[count++] = (struct pollfd){fd, events, 0};
    }
    for (;;) {
        int result = poll_until(descriptors, count, call->end, call->signals), ready = 0;
        if (result < 0) return result;
        for (nfds_t index = 0; index < count; index++) {
            struct pollfd *found = &descriptors[index];
            if (found->fd < 0 || !found->revents) continue;
            if (found->revents & POLLNVAL) {
                errno = EBADF;
                return -1;
            }
            /* poll also tells what select was not asked for: for a while that is not asked again. */
            if (is_ready(call, found))
                ready++;
            else
                found->fd = ~found->fd;
        }
        if (ready || result == 0) return conclude(call, descriptors);
    }
}

/* Whether any descriptor of the sets may be in flight; counts all of them. */
static int is_concerned(struct select_call *call) {
    if (is_undisturbed(in_flight_word()) || call->end_of_sets < 0) return 0;
    int concerned = any_beside();
    for (int set = 0; set < 3; set++)
        if (call->end_of_sets > 0 && call->sets[set] &&
            !is_readable(call->sets[set], (size_t)(call->end_of_sets + 63) / 64 * 8))
            return 0;
    for (int fd = 0; fd < call->end_of_sets; fd++) {
        if (!wanted(call, fd)) continue;
        call->count++;
        concerned |= may_be_in_flight(fd) || may_be_misjudged(fd);
    }
    return concerned;
}

static int select_in_flight(struct select_call *call) {
    return with_memory(call->count * sizeof(struct pollfd), select_in_memory, call);
}

int select(int end, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout) {
    struct select_call call = {{readable, writable, exceptional}, end, 0, 0, NULL};
    if (!is_concerned(&call) ||
        (timeout && (!is_readable(timeout, sizeof *timeout) || timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return REAL(select)(end, readable, writable, exceptional, timeout);
    int64_t duration = FOREVER;
    if (timeout && timeout->tv_sec < FOREVER / NANOSECONDS_IN_SECOND - timeout->tv_usec / 1000000 - 1)
        duration = (int64_t)timeout->tv_sec * NANOSECONDS_IN_SECOND + (int64_t)timeout->tv_usec * 1000;
    call.end = end_of(duration);
    int result = select_in_flight(&call);
    /* As the kernel does: what is left of the time. */
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
    if (!is_concerned(&call) || !is_duration(timeout))
        return REAL(pselect)(end, readable, writable, exceptional, timeout, signals);
    call.end = end_of(of_timespec(timeout));
    return select_in_flight(&call);
}
