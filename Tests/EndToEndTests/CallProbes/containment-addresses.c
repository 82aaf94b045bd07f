/* containment-addresses PORT ADDRESS[%SCOPE]...: prints the results of connections and datagrams to addresses of any
 * kind. */
#include "probe.h"

#include <net/if.h>

static address scoped(char *text, const char *port) {
    char *scope = strchr(text, '%');
    if (scope) *scope = 0;
    address to = numeric(text, port);
    if (scope) {
        *scope = '%';
        to.v6.sin6_scope_id = if_nametoindex(scope + 1);
        require(to.v6.sin6_scope_id != 0);
    }
    return to;
}

int main(int count, char **arguments) {
    require(count > 2);
    for (int index = 2; index < count; index++) {
        address to = scoped(arguments[index], arguments[1]);
        struct iovec data = {"x", 1};
        struct msghdr message = {&to.any, to.length, &data, 1, NULL, 0, 0};
        int fd = stream(&to), datagrams = socket(to.any.sa_family, SOCK_DGRAM, 0);
        int connected = socket(to.any.sa_family, SOCK_DGRAM, 0);
        say("%s: connect %s", arguments[index], outcome(connect(fd, &to.any, to.length)));
        say(", sendto %s", outcome(sendto(datagrams, "x", 1, 0, &to.any, to.length)));
        say(", sendmsg %s", outcome(sendmsg(datagrams, &message, 0)));
        say(", datagrams' connect %s\n", outcome(connect(connected, &to.any, to.length)));
        close(fd), close(datagrams), close(connected);
        if (to.any.sa_family != AF_INET6) continue;
        fd = stream(&to);
        require(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)) == 0);
        say("%s with V6ONLY: %s\n", arguments[index], outcome(connect(fd, &to.any, to.length)));
        close(fd);
    }
}
