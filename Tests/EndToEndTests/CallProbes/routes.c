/* routes TARGET...: connects to each target, asks its name, and prints the answer, or "nobody". TARGET: HOST/PORT,
 * or HOST/PORT/udp for a datagram that expects an answer, HOST/PORT/network to print only the first number of the
 * host's address, or HOST/PORT/listen to listen there. A numeric host is used as it is; any other is looked up. */
#include "probe.h"

#include <sys/time.h>

static const char *answer_of(int fd) {
    static char text[64];
    ssize_t length = recv(fd, text, sizeof text - 1, 0);
    if (length <= 0) return "nobody";
    text[length] = 0;
    return text;
}

static const char *reach(const address *to, int type) {
    int fd = socket(to->any.sa_family, type, 0);
    if (fd < 0) return "nobody";
    /* A limit for faults; no result depends on it. */
    struct timeval limit = {20, 0};
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    int sent = type == SOCK_DGRAM
                   ? sendto(fd, "who", 3, 0, &to->any, to->length) == 3
                   : connect(fd, &to->any, to->length) == 0 && send(fd, "who", 3, MSG_NOSIGNAL) == 3;
    const char *answer = sent ? answer_of(fd) : "nobody";
    close(fd);
    return answer;
}

static const char *hear(const address *at) {
    int fd = stream(at);
    int hears = bind(fd, &at->any, at->length) == 0 && listen(fd, 1) == 0;
    close(fd);
    return hears ? "listens" : "may not listen";
}

static int find(const char *host, const char *port, int type, address *result) {
    if (strspn(host, "0123456789.") == strlen(host) || strchr(host, ':')) {
        *result = numeric(host, port);
        return 1;
    }
    struct addrinfo hints = {.ai_socktype = type}, *found;
    if (getaddrinfo(host, port, &hints, &found) != 0) return 0;
    memcpy(&result->storage, found->ai_addr, found->ai_addrlen);
    result->length = found->ai_addrlen;
    freeaddrinfo(found);
    return 1;
}

int main(int count, char **arguments) {
    for (int index = 1; index < count; index++) {
        char *rest = arguments[index];
        char *host = strsep(&rest, "/"), *port = strsep(&rest, "/");
        const char *kind = rest ? rest : "tcp";
        require(host && port);
        int type = strcmp(kind, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
        address at = {0};
        if (!find(host, port, type, &at)) {
            say("no address\n");
        } else if (strcmp(kind, "network") == 0) {
            say("network %d\n", ntohl(at.v4.sin_addr.s_addr) >> 24);
        } else if (strcmp(kind, "listen") == 0) {
            say("%s\n", hear(&at));
        } else {
            say("%s\n", reach(&at, type));
        }
    }
}
