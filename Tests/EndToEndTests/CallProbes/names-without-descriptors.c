/* names-without-descriptors: prints the results of the name functions for names in /etc/hosts, for this machine's
 * name and for unknown names while no descriptor is free, and for a name in /etc/hosts when one is free again. */
#include "names.h"

#include <sys/resource.h>

static void ask(const char *name, int family) {
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *list = NULL;
    errno = 0;
    int code = getaddrinfo(name, "80", &hints, &list);
    say("getaddrinfo %s %d: %d %s\n", name, family, code, code == EAI_SYSTEM ? strerrorname_np(errno) : "");
    if (code == 0) freeaddrinfo(list);
}

static void ask_for_host(const char *name) {
    errno = h_errno = 0;
    struct hostent *host = gethostbyname(name);
    say("gethostbyname %s: %s", name, host ? "found\n" : "");
    if (!host) say("%d %s\n", h_errno, strerrorname_np(errno));
}

static void ask_for_name(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char name[256];
    errno = h_errno = 0;
    struct hostent *host = gethostbyaddr(&address.sin_addr, sizeof address.sin_addr, AF_INET);
    say("gethostbyaddr: %s %d\n", host ? "found" : "none", h_errno);
    say("getnameinfo: %d\n",
        getnameinfo((struct sockaddr *)&address, sizeof address, name, sizeof name, NULL, 0, NI_NAMEREQD));
}

int main(void) {
    /* Files that libc reads only once are read before. */
    ask("localhost", AF_INET);
    struct rlimit limit;
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    struct rlimit none = {0, limit.rlim_max};
    require(setrlimit(RLIMIT_NOFILE, &none) == 0);
    const char *names[] = {"localhost", "web.test", "nobody.example"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        ask(names[index], AF_UNSPEC);
        ask(names[index], AF_INET6);
        ask_for_host(names[index]);
    }
    ask_for_name();
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    ask("localhost", AF_INET);
    return 0;
}
