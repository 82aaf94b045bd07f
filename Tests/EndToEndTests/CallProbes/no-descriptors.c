/* no-descriptors HOST PORT: a program that has a socket and may open no further descriptors (RLIMIT_NOFILE of 0). */
#include "probe.h"

#include <sys/resource.h>

int main(int count, char **arguments) {
    require(count == 3);
    alarm(30);
    address to = numeric(arguments[1], arguments[2]);
    int fds[] = {stream(&to), stream(&to)};
    struct rlimit limit;
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    require(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max}) == 0);
    for (int index = 0; index < 2; index++) {
        say("connect %s\n", outcome(connect(fds[index], &to.any, to.length)));
        say("%s\n", echo(fds[index]));
    }
    to.v4.sin_port = htons(1);
    require(connect(fds[0], &(struct sockaddr){AF_UNSPEC, {0}}, sizeof(struct sockaddr)) == 0);
    say("connect %s\n", outcome(connect(fds[0], &to.any, to.length)));
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}
