/* See exchange.h: the same with the buffered connections of libevent. */
#include "exchange.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

static void on_readable(struct bufferevent *connection, void *given) {
    char part[256];
    size_t length;
    while ((length = bufferevent_read(connection, part, sizeof part)) > 0) add_text(given, part, length);
}

/* Everything is written. */
static void on_written(struct bufferevent *connection, void *given) {
    (void)given;
    shutdown(bufferevent_getfd(connection), SHUT_WR);
}

static void on_event(struct bufferevent *connection, short events, void *given) {
    struct exchange *exchange = given;
    if (events & BEV_EVENT_CONNECTED) {
        struct evbuffer *output = bufferevent_get_output(connection);
        evbuffer_add_printf(output, "%s\n", exchange->host);
        bufferevent_setcb(connection, on_readable, on_written, on_event, exchange);
        bufferevent_enable(connection, EV_READ | EV_WRITE);
        return;
    }
    const char *error = NULL;
    if (events & BEV_EVENT_TIMEOUT) error = "BEV_EVENT_TIMEOUT";
    if (events & BEV_EVENT_ERROR) error = strerrorname_np(EVUTIL_SOCKET_ERROR());
    end_exchange(exchange, error);
    bufferevent_free(connection);
}

int main(int argc, char **argv) {
    read_arguments(argc, argv);
    struct event_base *base = event_base_new();
    struct timeval time = {.tv_sec = limit() / 1000, .tv_usec = limit() % 1000 * 1000};
    for (int index = 0; index < count; index++) {
        struct exchange *exchange = &exchanges[index];
        struct bufferevent *connection = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
        bufferevent_setcb(connection, on_readable, NULL, on_event, exchange);
        bufferevent_set_timeouts(connection, &time, &time);
        bufferevent_socket_connect_hostname(connection, NULL, AF_UNSPEC, exchange->host, atoi(exchange->port));
    }
    event_base_dispatch(base);
    if (remaining != 0) abort();
    print_results();
}
