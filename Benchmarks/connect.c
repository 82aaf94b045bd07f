// connect COUNT ADDRESS PORT [PROXY-ADDRESS PROXY-PORT]
//
// Opens and closes COUNT blocking connections, one after the other. With a proxy named it speaks SOCKS5
// itself, as briefly as the protocol allows: what remains to a library that adds nothing of its own.
//
// Prints, for each connection: microseconds of wall time, microseconds of CPU time in this program (and in
// children, for a library that makes any). The first connection, in which a library sets itself up, is not
// counted.

#define _GNU_SOURCE
#include "bench.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

static void receiveExactly(int fd, unsigned char *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t received = recv(fd, bytes + done, count - done, 0);
        if (received == 0) errno = ECONNRESET;
        if (received <= 0) fail("recv");
        done += (size_t)received;
    }
}

static void handshake(int fd, const struct sockaddr_in *target) {
    unsigned char reply[10];

    // VER, NMETHODS, METHODS: no authentication.
    if (send(fd, "\x05\x01\x00", 3, 0) != 3) fail("send");
    receiveExactly(fd, reply, 2);
    errno = EPROTO;
    if (memcmp(reply, "\x05\x00", 2) != 0) fail("method selection");

    // VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT.
    unsigned char request[10] = {5, 1, 0, 1};
    memcpy(request + 4, &target->sin_addr, 4);
    memcpy(request + 8, &target->sin_port, 2);
    if (send(fd, request, sizeof request, 0) != sizeof request) fail("send");
    receiveExactly(fd, reply, sizeof reply);
    errno = ECONNREFUSED;
    if (reply[1] != 0) fail("reply");
}

static void connectOnce(const struct sockaddr_in *target, const struct sockaddr_in *proxy) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    const struct sockaddr_in *peer = proxy ? proxy : target;
    if (connect(fd, (const struct sockaddr *)peer, sizeof *peer) != 0) fail("connect");
    if (proxy) handshake(fd, target);
    if (close(fd) != 0) fail("close");
}

static double microsecondsOfCPU(void) {
    double sum = 0;
    for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
        struct rusage usage;
        if (getrusage(who, &usage) != 0) fail("getrusage");
        sum += 1e6 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
        sum += (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    }
    return sum;
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 6)
        return fprintf(stderr, "usage: connect COUNT ADDRESS PORT [PROXY-ADDRESS PROXY-PORT]\n"), 2;
    int count = positive(argv[1]);
    bool handCoded = argc == 6;
    struct sockaddr_in target = endpoint(argv[2], argv[3]);
    struct sockaddr_in proxy = handCoded ? endpoint(argv[4], argv[5]) : target;

    connectOnce(&target, handCoded ? &proxy : NULL);
    double cpu = microsecondsOfCPU();
    int64_t start = nanoseconds();
    for (int i = 0; i < count; i++) connectOnce(&target, handCoded ? &proxy : NULL);
    int64_t end = nanoseconds();
    cpu = microsecondsOfCPU() - cpu;
    printf("%.3f %.3f\n", (double)(end - start) / 1e3 / count, cpu / count);
}
