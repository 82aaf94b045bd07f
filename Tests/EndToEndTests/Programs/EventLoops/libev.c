/* See exchange.h: the same with libev. */
#include "exchange.h"

#include <ev.h>

struct watched {
    struct ev_io io;
    struct ev_timer timer;
    struct exchange *exchange;
};

static void stop_if_over(struct ev_loop *loop, struct watched *watched) {
    if (!watched->exchange->is_over) return;
    ev_io_stop(loop, &watched->io);
    ev_timer_stop(loop, &watched->timer);
}

static void on_readable(struct ev_loop *loop, struct ev_io *io, int events) {
    (void)events;
    struct watched *watched = io->data;
    listen_to(watched->exchange);
    stop_if_over(loop, watched);
}

static void on_writable(struct ev_loop *loop, struct ev_io *io, int events) {
    (void)events;
    struct watched *watched = io->data;
    int error = connection_error(watched->exchange);
    ev_io_stop(loop, io);
    if (error != 0) {
        end_exchange(watched->exchange, strerrorname_np(error));
    } else {
        int descriptor = watched->exchange->descriptor;
        speak(watched->exchange);
        ev_timer_stop(loop, &watched->timer);
        ev_io_init(io, on_readable, descriptor, EV_READ);
        ev_io_start(loop, io);
    }
    stop_if_over(loop, watched);
}

static void on_timer(struct ev_loop *loop, struct ev_timer *timer, int events) {
    (void)events;
    struct watched *watched = timer->data;
    ev_io_stop(loop, &watched->io);
    end_exchange(watched->exchange, "EV_TIMER");
    stop_if_over(loop, watched);
}

int main(int argc, char **argv) {
    read_arguments(argc, argv);
    struct ev_loop *loop = EV_DEFAULT;
    struct watched *watched = calloc(count, sizeof *watched);
    for (int index = 0; index < count; index++) {
        struct watched *one = &watched[index];
        one->exchange = &exchanges[index];
        int error = start_exchange(one->exchange);
        if (error != 0 && error != EINPROGRESS) {
            end_exchange(one->exchange, strerrorname_np(error));
            continue;
        }
        ev_io_init(&one->io, on_writable, one->exchange->descriptor, EV_WRITE);
        ev_timer_init(&one->timer, on_timer, limit() / 1000.0, 0);
        one->io.data = one->timer.data = one;
        ev_io_start(loop, &one->io);
        ev_timer_start(loop, &one->timer);
    }
    ev_run(loop, 0);
    if (remaining != 0) abort();
    print_results();
}
