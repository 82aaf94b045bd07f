/* unconfigured HOST PORT: prints what a program sees when its configuration is unusable. */
#include "names.h"

int main(int count, char **arguments) {
    require(count == 3);
    address to = numeric(arguments[1], arguments[2]);
    int pair[2], fd = open("/etc/hosts", O_RDONLY);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    char byte;
    say("file: %s\n", outcome(read(fd, &byte, 1)));
    say("AF_UNIX: %s\n", outcome(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
    say("AF_UNIX: %s\n", outcome(write(pair[0], "x", 1)));
    for (int time = 0; time < 2; time++) {
        fd = stream(&to);
        say("connect: %s\n", outcome(connect(fd, &to.any, to.length)));
        say("name: %s\n", code_name(getaddrinfo("web.test", "80", &hints, &list)));
    }
    say("figures: %s\n", code_name(getaddrinfo(arguments[1], "80", &hints, &list)));
    fd = socket(to.any.sa_family, SOCK_DGRAM, 0);
    say("datagram: %s\n", outcome(sendto(fd, "x", 1, 0, &to.any, to.length)));
    say("gethostbyname: %s\n", gethostbyname("web.test") ? "found" : host_error_name(h_errno));
    say("children: %s\n", outcome(waitpid(-1, NULL, __WALL | WNOHANG)));
}
