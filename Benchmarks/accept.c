// accept ADDRESS PORT
//
// The far end of the connections: accepts and closes, until it is ended.

#define _GNU_SOURCE
#include "bench.h"

#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: accept ADDRESS PORT\n"), 2;
    struct sockaddr_in address = endpoint(argv[1], argv[2]);
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (listener < 0) fail("socket");
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) fail("setsockopt");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 4096) != 0) fail("listen");
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0 && errno != ECONNABORTED && errno != EINTR) fail("accept");
        if (fd >= 0) close(fd);
    }
}
