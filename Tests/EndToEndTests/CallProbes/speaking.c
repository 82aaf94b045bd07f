/* speaking HOST PORT: speaks SOCKS5 itself with the proxy that is configured. */
#include "probe.h"

int main(int count, char **arguments) {
    require(count == 3);
    address to = numeric(arguments[1], arguments[2]);
    int fd = stream(&to);
    say("connect %s\n", outcome(connect(fd, &to.any, to.length)));
    unsigned char answer[2];
    require(write(fd, "\5\1\0", 3) == 3 && read_all(fd, answer, 2));
    say("method %d %d\n", answer[0], answer[1]);
    const char *peer = peer_of(fd);
    say("peer %s\n", strcmp(peer, text_of(&to.any)) == 0 ? "as connected to" : peer);
}
