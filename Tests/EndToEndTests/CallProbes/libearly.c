/* A library whose constructor connects, as libraries that report to a server do. */
#include "probe.h"

int early_fd = -1;

__attribute__((constructor)) static void begin(void) {
    const char *host = getenv("PROBE_HOST"), *port = getenv("PROBE_PORT");
    if (!host || !port) return;
    address to = numeric(host, port);
    int fd = stream(&to);
    say("in a constructor: %s\n", outcome(connect(fd, &to.any, to.length)));
    early_fd = fd;
}
