// memory ADDRESS PORT
//
// The memory of a process that does nothing, and of the same process after one connection; and whom that
// connection really reached, according to the kernel's table and not to a call that a library may answer.
//
// Prints: "start" and "connected", each with KiB resident (Rss), proportional (Pss) and private dirty; then
// "peer" and the address.

#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <unistd.h>

// Static, so that reading does not grow the heap between the two measurements.
static char text[4096];

static void readFile(const char *path) {
    int fd = open(path, O_RDONLY);
    if (fd < 0) fail(path);
    size_t length = 0;
    for (;;) {
        ssize_t count = read(fd, text + length, sizeof text - 1 - length);
        if (count < 0) fail(path);
        if (count == 0) break;
        length += (size_t)count;
    }
    text[length] = 0;
    close(fd);
}

struct memory {
    long rss, pss, privateDirty;
};

static long field(const char *name) {
    const char *line = strstr(text, name);
    errno = ENODATA;
    if (!line) fail(name);
    return atol(line + strlen(name));
}

static struct memory memoryNow(void) {
    readFile("/proc/self/smaps_rollup");
    return (struct memory){field("\nRss:"), field("\nPss:"), field("\nPrivate_Dirty:")};
}

static void printMemory(const char *name, struct memory memory) {
    printf("%s %ld %ld %ld\n", name, memory.rss, memory.pss, memory.privateDirty);
}

static void printPeer(int fd) {
    char path[32], link[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, link, sizeof link - 1) < 0) fail(path);
    unsigned long inode;
    errno = ENOTSOCK;
    if (sscanf(link, "socket:[%lu]", &inode) != 1) fail(link);

    FILE *table = fopen("/proc/self/net/tcp", "r");
    if (!table) fail("/proc/self/net/tcp");
    char line[256];
    while (fgets(line, sizeof line, table)) {
        // sl, local address, remote address, state, queues, timer, retransmissions, uid, timeout, inode
        unsigned address, port;
        unsigned long found;
        const char *format = " %*d: %*x:%*x %x:%x %*x %*x:%*x %*x:%*x %*x %*u %*u %lu";
        if (sscanf(line, format, &address, &port, &found) != 3 || found != inode) continue;
        printf("peer %s:%u\n", inet_ntoa((struct in_addr){address}), port);
        return;
    }
    errno = ENOENT;
    fail("the connection in /proc/self/net/tcp");
}

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: memory ADDRESS PORT\n"), 2;
    struct sockaddr_in target = endpoint(argv[1], argv[2]);
    memoryNow();
    struct memory start = memoryNow();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&target, sizeof target) != 0) fail("connect");
    struct memory connected = memoryNow();
    printMemory("start", start);
    printMemory("connected", connected);
    printPeer(fd);
}
