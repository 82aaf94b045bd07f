/* behind MODE HOST PORT COUNT: connects and prints the first COUNT bytes from the far side. MODE: blocking,
 * nonblocking. */
#include "probe.h"

int main(int count, char **arguments) {
    require(count == 5);
    address to = numeric(arguments[2], arguments[3]);
    char bytes[4096] = {0};
    size_t wanted = (size_t)atoi(arguments[4]);
    require(wanted < sizeof bytes);
    int fd = stream(&to);
    if (strcmp(arguments[1], "nonblocking") == 0) require(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    int result = connect(fd, &to.any, to.length);
    if (result < 0 && errno == EINPROGRESS) {
        struct pollfd waiting = {fd, POLLOUT, 0};
        require(poll(&waiting, 1, -1) == 1);
        result = 0;
    }
    say("connect %s\n", outcome(result));
    require(read_all(fd, bytes, wanted));
    say("received %s\n", bytes);
    say("%s\n", echo(fd));
}
