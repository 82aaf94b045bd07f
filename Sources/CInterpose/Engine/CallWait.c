#include "CallWait.h"

#include <fcntl.h>
#include <poll.h>

#include "Durations.h"
#include "PollWait.h"

/* The time at which the socket's limit ends a call that begins now (socket(7), SO_RCVTIMEO, SO_SNDTIMEO). */
int64_t end_of_call(int fd, unsigned flags) {
    struct timeval limit;
    int option = flags & SOCKSIFY_SENDING ? SO_SNDTIMEO : SO_RCVTIMEO;
    if (kernel_getsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit) != 0 || (!limit.tv_sec && !limit.tv_usec))
        return FOREVER;
    struct timespec duration = {limit.tv_sec, limit.tv_usec * 1000};
    return end_of(of_timespec(&duration));
}

#define A_MOMENT (5 * NANOSECONDS_IN_MILLISECOND)

int go_on_for_a_moment(void) {
    return poll_until(NULL, 0, end_of(A_MOMENT), NULL) >= 0 || errno != EINTR || !interruptible_by_handler();
}

int wait_until_ready(int fd, short events, int64_t end, int may_be_alone) {
    while (may_be_alone || pending_any_beside()) {
        struct pollfd descriptor = {fd, events, 0};
        int ready = poll_until(&descriptor, 1, end, NULL);
        if (ready > 0) return 1;
        if (ready == 0) {
            errno = EAGAIN;
            return 0;
        }
        if (errno != EINTR || interruptible_by_handler()) return 0;
    }
    return 1;
}

/* Whether a call on the descriptor waits. */
static int is_to_wait(int fd, short events) {
    long status = process_is_confined() ? -1 : kernel_status_flags(fd);
    return status >= 0 && !(status & O_NONBLOCK) && kernel_poll_now(fd, events) == 0;
}

int wait_beside_handshakes(int fd, unsigned flags) {
    short events = flags & SOCKSIFY_SENDING ? POLLOUT : POLLIN;
    return !is_to_wait(fd, events) || wait_until_ready(fd, events, end_of_call(fd, flags), 0);
}
