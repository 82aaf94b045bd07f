/* datagram-names talk|connect HOST PORT NAME PORT...: sends a datagram to each name, then prints the answers and the
 * names that they seem to come from. HOST determines the family. */
#include "datagram.h"

enum { MOST = 8 };

static address look_up(const char *name, const char *port) {
    struct addrinfo hints = {.ai_family = far.any.sa_family, .ai_socktype = SOCK_DGRAM}, *list;
    int error = getaddrinfo(name, port, &hints, &list);
    if (error) {
        say("%s: %s\n", name, gai_strerror(error));
        _exit(1);
    }
    address found = {.length = list->ai_addrlen};
    memcpy(&found.storage, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return found;
}

/* The name that the program used for the address. */
static const char *name_of(const address *from, const address *all, char **names, int count) {
    static char text[96];
    int is_ipv6 = from->any.sa_family == AF_INET6;
    for (int index = 0; index < count; index++) {
        int same = is_ipv6 ? memcmp(&from->v6.sin6_addr, &all[index].v6.sin6_addr, 16) == 0
                           : from->v4.sin_addr.s_addr == all[index].v4.sin_addr.s_addr;
        if (!same) continue;
        snprintf(text, sizeof text, "%s%s", names[2 * index],
                 from->v4.sin_port == all[index].v4.sin_port ? "" : " at another port");
        return text;
    }
    return source_of(from);
}

static void talk(char **arguments) {
    address all[MOST];
    int count = 0, fd = unconnected();
    for (; arguments[2 * count]; count++) {
        require(count < MOST);
        all[count] = look_up(arguments[2 * count], arguments[2 * count + 1]);
    }
    for (int round = 0; round < 2; round++)
        for (int index = 0; index < count; index++) {
            const char *name = arguments[2 * index];
            require(sendto(fd, name, strlen(name), 0, &all[index].any, all[index].length) == (ssize_t)strlen(name));
            char bytes[80];
            address from = {.length = sizeof from.storage};
            ssize_t result = recvfrom(fd, bytes, sizeof bytes, 0, &from.any, &from.length);
            say("%.*s from %s\n", (int)result, bytes, name_of(&from, all, arguments, count));
            /* The answer goes back to the address that the datagram came from. */
            require(sendto(fd, "on", 2, 0, &from.any, from.length) == 2);
            result = recv(fd, bytes, sizeof bytes, 0);
            say("%.*s\n", (int)result, bytes);
        }
}

static void with_connect(char **arguments) {
    address to = look_up(arguments[0], arguments[1]);
    int fd = unconnected();
    require(connect(fd, &to.any, to.length) == 0);
    say("peer %s\n", strcmp(peer_of(fd), text_of(&to.any)) == 0 ? "as connected to" : peer_of(fd));
    require(send(fd, "hello", 5, 0) == 5);
    char bytes[80];
    address from = {.length = sizeof from.storage};
    ssize_t result = recvfrom(fd, bytes, sizeof bytes, 0, &from.any, &from.length);
    say("%.*s from %s\n", (int)result, bytes, name_of(&from, &to, arguments, 1));
    require(send(fd, "again", 5, 0) == 5);
    say("%zd\n", read(fd, bytes, sizeof bytes));
}

SCENARIOS({"talk", talk}, {"connect", with_connect})
