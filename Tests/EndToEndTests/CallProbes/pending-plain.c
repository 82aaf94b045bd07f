/* pending-plain HOST PORT TIMES CALL: connects TIMES non-blocking sockets, one after the other, to an address or a
 * name, through a proxy in another process; waits for each by CALL, and prints the outcome of each. */
#include "pending-waiting.h"

static address destination_of(const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    address result = {0};
    require(getaddrinfo(host, port, &hints, &list) == 0);
    memcpy(&result.storage, list->ai_addr, list->ai_addrlen);
    result.length = list->ai_addrlen;
    freeaddrinfo(list);
    return result;
}

int main(int count, char **arguments) {
    require(count == 5);
    alarm(50);
    signal(SIGPIPE, SIG_IGN);
    target = destination_of(arguments[1], arguments[2]);
    const waiter *by = waiter_named(arguments[4]);
    int descriptors = descriptor_count();
    for (int time = 0; time < atoi(arguments[3]); time++) {
        int fd = nonblocking();
        const char *begun = connect_to_target(fd);
        if (strcmp(begun, "EINPROGRESS") != 0) say("connect %s\n", begun);
        unsigned events = (unsigned)by->wait(fd, EPOLLIN | EPOLLOUT, -1, NULL);
        const char *error = error_of(fd);
        if (strcmp(error, "0") == 0) {
            const char *peer = strcmp(peer_of(fd), text_of(&target.any)) == 0 ? "as connected to" : peer_of(fd);
            say("%s, peer %s, %s\n", events & EPOLLHUP ? "HUP" : "connected", peer, echo(fd));
        } else {
            int is_told = strstr(by->name, "select") ? 1 : (events & EPOLLHUP) != 0;
            say("%s%s, then %s, peer %s\n", is_told ? "" : "not told of ", error, error_of(fd), peer_of(fd));
        }
        close(fd);
    }
    say("descriptors %+d\n", descriptor_count() - descriptors);
}
