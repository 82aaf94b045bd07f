/* ways WAY HOST PORT ...: connects to each target, and prints the result.
 *
 * WAY: `tcp` or `udp` looks the host up without a port and a socket type, as some programs do; `TCP` and `UDP` give
 * both; `old` uses gethostbyname(3); `later` connects a non-blocking socket, by poll(2). */
#include "names.h"

static int make(const char *way, int family) {
    int is_datagram = strcasecmp(way, "udp") == 0;
    int fd = socket(family, is_datagram ? SOCK_DGRAM : SOCK_STREAM | (strcmp(way, "later") ? 0 : SOCK_NONBLOCK), 0);
    require(fd >= 0);
    return fd;
}

static const char *connected(int fd, const address *to, int is_datagram) {
    int result = connect(fd, &to->any, to->length);
    if (result < 0 && errno == EINPROGRESS) {
        struct pollfd waiting = {.fd = fd, .events = POLLOUT};
        require(poll(&waiting, 1, -1) == 1);
        socklen_t length = sizeof errno;
        int failure = 0;
        require(getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &length) == 0);
        errno = failure;
        result = failure ? -1 : 0;
    }
    /* A datagram socket makes no request before it sends. */
    if (result == 0 && is_datagram) result = (int)send(fd, "x", 1, 0);
    return outcome(result);
}

int main(int count, char **arguments) {
    require(count % 3 == 1);
    for (int index = 1; index < count; index += 3) {
        const char *way = arguments[index], *host = arguments[index + 1], *port = arguments[index + 2];
        int is_datagram = strcasecmp(way, "udp") == 0;
        address to = {0};
        if (strcmp(way, "old") == 0) {
            struct hostent *entry = gethostbyname(host);
            if (!entry) {
                say("%s %s %s: no name\n", way, host, port);
                continue;
            }
            to.v4.sin_family = AF_INET;
            memcpy(&to.v4.sin_addr, entry->h_addr_list[0], 4);
            to.length = sizeof to.v4;
        } else {
            struct addrinfo hints = {.ai_socktype = is_datagram ? SOCK_DGRAM : SOCK_STREAM}, *list;
            int says = strcmp(way, "TCP") == 0 || strcmp(way, "UDP") == 0;
            int code = getaddrinfo(host, says ? port : NULL, says ? &hints : NULL, &list);
            if (code) {
                say("%s %s %s: %s\n", way, host, port, code_name(code));
                continue;
            }
            memcpy(&to.storage, list->ai_addr, list->ai_addrlen);
            to.length = list->ai_addrlen;
            freeaddrinfo(list);
        }
        to.v4.sin_port = htons((unsigned short)atoi(port));
        int fd = make(way, to.any.sa_family);
        const char *became = connected(fd, &to, is_datagram);
        address peer = {.length = sizeof peer.storage};
        int has_peer = strcmp(became, "0") == 0 && getpeername(fd, &peer.any, &peer.length) == 0;
        say("%s %s %s: %s%s%s\n", way, host, port, became, has_peer ? " " : "", has_peer ? known(&peer.any) : "");
        close(fd);
    }
}
