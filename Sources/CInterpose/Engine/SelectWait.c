#include "SelectWait.h"

#include <poll.h>

#include "BorrowedMemory.h"
#include "Misjudged.h"
#include "PollWait.h"

/* The poll events that make a descriptor ready in each of the three sets, as in the kernel. */
enum {
    READABLE = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
    WRITABLE = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR,
    EXCEPTIONAL = POLLPRI,
};

static const short set_events[3] = {READABLE & ~(POLLHUP | POLLERR), WRITABLE & ~POLLERR, EXCEPTIONAL};
static const short set_results[3] = {READABLE, WRITABLE, EXCEPTIONAL};

/* Works with words, because programs may use sets longer than an fd_set. */
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

/* Removes the descriptors that are not ready from the sets, and returns select's result. */
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
            /* poll(2) also reports events beyond those asked for: such a descriptor is ignored for a while. */
            if (is_ready(call, found))
                ready++;
            else
                found->fd = ~found->fd;
        }
        if (ready || result == 0) return conclude(call, descriptors);
    }
}

int select_is_concerned(struct select_call *call) {
    if (pending_is_undisturbed(pending_word()) || call->end_of_sets < 0) return 0;
    int concerned = pending_any_beside();
    for (int set = 0; set < 3; set++)
        if (call->end_of_sets > 0 && call->sets[set] &&
            !is_readable(call->sets[set], (size_t)(call->end_of_sets + 63) / 64 * 8))
            return 0;
    for (int fd = 0; fd < call->end_of_sets; fd++) {
        if (!wanted(call, fd)) continue;
        call->count++;
        concerned |= descriptor_may_be_pending(fd) || may_be_misjudged(fd);
    }
    return concerned;
}

int select_pending(struct select_call *call) {
    return with_memory(call->count * sizeof(struct pollfd), select_in_memory, call);
}
