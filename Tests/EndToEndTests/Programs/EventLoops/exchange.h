/* The task of every program here, with the arguments HOST PORT [HOST PORT]...: it connects to all of them at once,
 * sends each a line with the host, ends its side, and reads until the other side ends. Then it prints the bytes from
 * each, or the error, in the order of the arguments.
 *
 * It waits LIMIT milliseconds (environment) for a connection, and reports the timeout in its library's words. With
 * TICKS it connects to the last two only after its loop has run that many times since the connection before, and
 * prints on standard error how long its loop was blocked at most (not all programs can do this). */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct exchange {
    const char *host, *port;
    int descriptor;
    int is_connected;
    int is_over;
    char text[1024];
    size_t length;
};

static struct exchange *exchanges;
static int count, remaining;

/* The rest is for some of the programs. */
#define SOME __attribute__((unused)) static

SOME long limit(void) {
    const char *text = getenv("LIMIT");
    return text ? atol(text) : 30000;
}

SOME void read_arguments(int argc, char **argv) {
    count = remaining = argc / 2;
    exchanges = calloc(count, sizeof *exchanges);
    for (int index = 0; index < count; index++) {
        exchanges[index].host = argv[1 + 2 * index];
        exchanges[index].port = argv[2 + 2 * index];
        exchanges[index].descriptor = -1;
    }
}

SOME void print_results(void) {
    for (int index = 0; index < count; index++) fputs(exchanges[index].text, stdout);
}

SOME void add_text(struct exchange *exchange, const char *text, size_t length) {
    if (length > sizeof exchange->text - 1 - exchange->length) abort();
    memcpy(exchange->text + exchange->length, text, length);
    exchange->length += length;
}

/* The exchange is complete. */
SOME void end_exchange(struct exchange *exchange, const char *error) {
    if (exchange->is_over) abort();
    exchange->is_over = 1;
    if (error) exchange->length = snprintf(exchange->text, sizeof exchange->text, "%s\n", error);
    if (exchange->descriptor >= 0) close(exchange->descriptor);
    exchange->descriptor = -1;
    remaining--;
}

/* Makes a non-blocking socket and connects it. Returns 0 or the error of connect(2), which may be EINPROGRESS. */
SOME int start_exchange(struct exchange *exchange) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int code = getaddrinfo(exchange->host, exchange->port, &hints, &list);
    if (code != 0) {
        fprintf(stderr, "%s: %s\n", exchange->host, gai_strerror(code));
        exit(1);
    }
    exchange->descriptor = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = connect(exchange->descriptor, list->ai_addr, list->ai_addrlen) == 0 ? 0 : errno;
    freeaddrinfo(list);
    return error;
}

/* The outcome of the connection, when the socket is reported as writable. */
SOME int connection_error(const struct exchange *exchange) {
    int error = -1;
    socklen_t size = sizeof error;
    getsockopt(exchange->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

/* Sends the line. */
SOME void speak(struct exchange *exchange) {
    char line[256];
    int length = snprintf(line, sizeof line, "%s\n", exchange->host);
    exchange->is_connected = 1;
    if (send(exchange->descriptor, line, length, MSG_NOSIGNAL) != length ||
        shutdown(exchange->descriptor, SHUT_WR) != 0) {
        end_exchange(exchange, strerrorname_np(errno));
    }
}

/* Reads the waiting bytes. */
SOME void listen_to(struct exchange *exchange) {
    char part[256];
    for (;;) {
        ssize_t length = read(exchange->descriptor, part, sizeof part);
        if (length > 0) {
            add_text(exchange, part, length);
        } else if (length == 0) {
            return end_exchange(exchange, NULL);
        } else if (errno == EAGAIN) {
            return;
        } else {
            return end_exchange(exchange, strerrorname_np(errno));
        }
    }
}

#endif
