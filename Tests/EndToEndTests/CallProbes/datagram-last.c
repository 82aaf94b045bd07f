/* datagram-last END MODE HOST PORT: sends three datagrams and receives none. END: close, which closes the socket
 * first; exit. MODE: blocking, nonblocking. */
#include "datagram.h"

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    far = numeric(argv[3], argv[4]);
    int flags = strcmp(argv[2], "nonblocking") == 0 ? SOCK_NONBLOCK : 0, sent = 0;
    int fd = socket(far.any.sa_family, SOCK_DGRAM | flags, 0);
    for (int index = 0; index < 3; index++) sent += sendto(fd, "last", 4, 0, &far.any, far.length) == 4;
    say("sent %d\n", sent);
    if (strcmp(argv[1], "close") == 0) close(fd);
    return 0;
}
