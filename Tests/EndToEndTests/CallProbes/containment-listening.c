/* containment-listening ADDRESS: prints where a program may listen. ADDRESS is one of the machine's addresses that
 * others reach. */
#include "probe.h"

static void at(const char *host) {
    address to = numeric(host, "0");
    int fd = stream(&to);
    require(bind(fd, &to.any, to.length) == 0);
    say("%s: %s\n", host, outcome(listen(fd, 1)));
    close(fd);
    fd = stream(&to);
    require(bind(fd, &to.any, to.length) == 0);
    say("%s by number: %s\n", host, outcome(syscall(SYS_listen, fd, 1)));
    close(fd);
}

static void unbound(int domain, const char *what) {
    int fd = socket(domain, SOCK_STREAM, 0);
    say("%s unbound: %s\n", what, outcome(listen(fd, 1)));
    close(fd);
}

int main(int count, char **arguments) {
    require(count == 2);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0socksify listening probe"};
    int local = socket(AF_UNIX, SOCK_STREAM, 0);
    require(bind(local, (struct sockaddr *)&name, sizeof name) == 0);
    say("AF_UNIX: %s\n", outcome(listen(local, 1)));
    at("127.0.0.1");
    at("127.7.7.7");
    at("::1");
    at("::ffff:127.0.0.1");
    at(arguments[1]);
    at("0.0.0.0");
    at("::");
    unbound(AF_INET, "IPv4");
    unbound(AF_INET6, "IPv6");
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    say("datagrams: %s\n", outcome(listen(fd, 1)));
    say("no socket: %s\n", outcome(listen(0, 1)));
    say("no descriptor: %s\n", outcome(listen(-1, 1)));
}
