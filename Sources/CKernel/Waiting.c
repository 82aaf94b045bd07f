#include "Kernel/Waiting.h"

/* Not inline: its stack frame must be released before the caller waits. */
long kernel_poll_now(int fd, int events) {
    struct pollfd poll = {fd, (short)events, 0};
    struct timespec now = {0, 0};
    long result;
    /* Repeated after a signal handler, because an epoll may report an event only once. */
    do {
        result = kernel_call(SYS_ppoll, (long)&poll, 1, (long)&now, 0, KERNEL_SIGNALS_SIZE, 0);
    } while (result == -EINTR);
    if (result == -EINVAL) {
        struct select_set set;
        for (int event = POLLIN; event <= POLLOUT; event <<= 2)
            if (events & event && kernel_select(fd, event, &now, NULL, &set) > 0) poll.revents |= event;
        return poll.revents;
    }
    return result < 0 ? result : poll.revents;
}
