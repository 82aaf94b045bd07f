/* peer FAMILY HOST PORT: prints the result of getpeername(2), for every way to get the socket. HOST is a numeric
 * address or, with a FAMILY of 4 or 6, a name. */
#include "probe.h"

#include <sys/mman.h>

static address expected;

static void compare(const char *way, int fd) {
    const char *peer = peer_of(fd);
    say("%s: %s\n", way, strcmp(peer, text_of(&expected.any)) == 0 ? "as connected to" : peer);
}

static void compare_text(const char *way, const char *peer) {
    char copy[80];
    snprintf(copy, sizeof copy, "%s", peer);
    say("%s: %s\n", way, strcmp(copy, text_of(&expected.any)) == 0 ? "as connected to" : copy);
}

int main(int count, char **arguments) {
    require(count == 4);
    char text[80];
    if (strcmp(arguments[1], "figures") == 0) {
        expected = numeric(arguments[2], arguments[3]);
    } else {
        struct addrinfo hints = {.ai_family = arguments[1][0] == '6' ? AF_INET6 : AF_INET,
                                 .ai_socktype = SOCK_STREAM}, *list;
        require(getaddrinfo(arguments[2], arguments[3], &hints, &list) == 0);
        memcpy(&expected.storage, list->ai_addr, list->ai_addrlen);
        expected.length = list->ai_addrlen;
        freeaddrinfo(list);
    }
    int fd = stream(&expected);
    say("before: %s\n", peer_of(fd));
    say("connect: %s\n", outcome(connect(fd, &expected.any, expected.length)));
    compare("socket", fd);
    compare("dup", dup(fd));
    compare("dup2", dup2(fd, 100));
    compare("F_DUPFD", fcntl(fd, F_DUPFD, 200));
    compare("passed on", passed(fd));
    fflush(NULL);
    if (fork() == 0) {
        compare("forked", fd);
        _exit(0);
    }
    wait(NULL);

    address peer = {.length = 6};
    memset(&peer.storage, 0xaa, sizeof peer.storage);
    require(getpeername(fd, &peer.any, &peer.length) == 0);
    int kept = memcmp(&peer.storage, &expected.storage, 6) == 0 && ((unsigned char *)&peer.storage)[6] == 0xaa;
    say("short: %s, %s\n", peer.length == expected.length ? "whole length" : "another length", kept ? "cut" : "spoilt");
    peer.length = sizeof peer.storage;
    require(getpeername(fd, &peer.any, &peer.length) == 0);
    say("long: %s\n", peer.length == expected.length ? "whole length" : "another length");
    peer.length = 0;
    say("empty: %s\n", outcome(getpeername(fd, &peer.any, &peer.length)));
    peer.length = (socklen_t)-1;
    say("negative: %s\n", outcome(getpeername(fd, &peer.any, &peer.length)));
    peer.length = sizeof peer.storage;
    struct sockaddr *volatile nowhere = NULL;
    socklen_t *volatile no_length = NULL;
    say("no address: %s\n", outcome(getpeername(fd, nowhere, &peer.length)));
    say("no length: %s\n", outcome(getpeername(fd, &peer.any, no_length)));
    void *forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    peer.length = sizeof peer.storage;
    say("bad address: %s\n", outcome(getpeername(fd, forbidden, &peer.length)));
    long number = syscall(SYS_getpeername, fd, &peer.storage, &peer.length);
    snprintf(text, sizeof text, "%s", number == 0 ? text_of(&peer.any) : outcome(number));
    compare_text("by number", text);

    /* The socket connects again, without the proxy. */
    address here;
    int listening = listener("127.0.0.1", "0", &here);
    /* Linux cannot connect a socket to an IPv6 address after a mapped one. */
    if (expected.any.sa_family == AF_INET6) {
        char port[8];
        snprintf(port, sizeof port, "%d", ntohs(here.v4.sin_port));
        here = numeric("::ffff:127.0.0.1", port);
    }
    require(connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)) == 0);
    say("dissolved: %s\n", peer_of(fd));
    say("connect: %s\n", outcome(connect(fd, &here.any, here.length)));
    snprintf(text, sizeof text, "%s", text_of(&here.any));
    say("direct: %s\n", strcmp(peer_of(fd), text) == 0 ? "as connected to" : peer_of(fd));
    close(listening);
}
