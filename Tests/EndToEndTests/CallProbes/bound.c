/* bound HOST PORT: a socket that is bound to a port of its own and to every address before it connects. */
#include "probe.h"

int main(int count, char **arguments) {
    require(count == 3);
    address to = numeric(arguments[1], arguments[2]), any = numeric("0.0.0.0", "0");
    address before = {.length = sizeof before.storage}, after = before;
    int fd = stream(&to);
    require(bind(fd, &any.any, any.length) == 0 && getsockname(fd, &before.any, &before.length) == 0);
    say("connect %s\n", outcome(connect(fd, &to.any, to.length)));
    require(getsockname(fd, &after.any, &after.length) == 0);
    say("%s port\n", after.v4.sin_port == before.v4.sin_port ? "the same" : "another");
    say("%s\n", echo(fd));
}
