/* See exchange.h: the same with epoll(7), as the Rust library mio and Go's runtime use it. A socket is registered
 * once, after connect(2), for both directions, and edge-triggered. */
#include "exchange.h"

#include <sys/epoll.h>

static int loop;

static void start(struct exchange *exchange) {
    int error = start_exchange(exchange);
    if (error != 0 && error != EINPROGRESS) return end_exchange(exchange, strerrorname_np(error));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = exchange};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, exchange->descriptor, &event) != 0) abort();
}

static void handle(struct exchange *exchange, unsigned events) {
    if (exchange->is_over) return;
    if (!exchange->is_connected) {
        if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
        int error = connection_error(exchange);
        if (error != 0) return end_exchange(exchange, strerrorname_np(error));
        /* mio's documentation prescribes this: a socket is connected when it has a peer. */
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        if (getpeername(exchange->descriptor, (struct sockaddr *)&peer, &size) != 0) {
            if (errno == ENOTCONN) return;
            return end_exchange(exchange, strerrorname_np(errno));
        }
        speak(exchange);
        /* An edge-triggered epoll reports no bytes that came before. */
        if (exchange->is_over) return;
    }
    listen_to(exchange);
}

int main(int argc, char **argv) {
    read_arguments(argc, argv);
    loop = epoll_create1(EPOLL_CLOEXEC);
    for (int index = 0; index < count; index++) start(&exchanges[index]);
    while (remaining > 0) {
        struct epoll_event events[16];
        int ready = epoll_wait(loop, events, 16, limit());
        if (ready < 0) abort();
        if (ready == 0) {
            for (int index = 0; index < count; index++) {
                if (!exchanges[index].is_over) end_exchange(&exchanges[index], "epoll_wait: nothing happened");
            }
        }
        for (int index = 0; index < ready; index++) handle(events[index].data.ptr, events[index].events);
    }
    print_results();
}
