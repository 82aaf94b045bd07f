/* unwaited CASE HOST PORT: prints what a program sees of a destination behind the proxy when its own filter refuses
 * ppoll(2), by which the library waits: an error, at once, and no descriptor stays open. */
#include "filter.h"

int main(int count, char **arguments) {
    require(count == 4);
    alarm(30);
    int is_name = strcmp(arguments[1], "name") == 0;
    address to = numeric(is_name ? "127.0.0.1" : arguments[2], arguments[3]);
    int fd = socket(to.any.sa_family, strcmp(arguments[1], "datagrams") == 0 ? SOCK_DGRAM : SOCK_STREAM, 0);
    int before = descriptor_count();
    require(fd >= 0);
    refuse_call(SYS_ppoll);
    for (int round = 0; round < 2; round++) {
        if (is_name) {
            struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
            int code = getaddrinfo(arguments[2], arguments[3], &hints, &list);
            say("getaddrinfo %s\n", code == EAI_AGAIN ? "EAI_AGAIN" : code ? gai_strerror(code) : "0");
        } else if (strcmp(arguments[1], "datagrams") == 0) {
            say("sendto %s\n", outcome(sendto(fd, "x", 1, 0, &to.any, to.length)));
        } else {
            say("connect %s\n", outcome(connect(fd, &to.any, to.length)));
        }
    }
    say("descriptors +%d\n", descriptor_count() - before);
}
