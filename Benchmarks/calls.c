// calls PAIRS [ADDRESS PORT]
//
// What a preloaded library adds to calls on descriptors that are none of its business. One process calls both
// the function that a program gets and libc's own, in batches that alternate: the difference within a pair of
// batches is free of what differs between processes (addresses, caches, neighbours), which is more than what
// is measured. With an address, a connection to it is made first and stays open, so that the library is fully
// at work.
//
// Prints, for each operation: its name, nanoseconds with libc's functions, nanoseconds added, and whether the
// library interposes on any of these functions at all.

#define _GNU_SOURCE
#include "bench.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

// Few enough that most batches escape interruption: the median of many short pairs is steadier than that of
// few long ones.
enum { callsInBatch = 32 };

struct functions {
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*send)(int, const void *, size_t, int);
    ssize_t (*recv)(int, void *, size_t, int);
    int (*dup)(int);
    int (*close)(int);
    int (*poll)(struct pollfd *, nfds_t, int);
    int (*epoll_wait)(int, struct epoll_event *, int, int);
    int (*epoll_ctl)(int, int, int, struct epoll_event *);
};

static int devNull, devZero, pair[2], emptyEpoll, epoll;

static bool writeOnce(const struct functions *functions) { return functions->write(devNull, "x", 1) == 1; }

static bool readOnce(const struct functions *functions) {
    char byte;
    return functions->read(devZero, &byte, 1) == 1;
}

static bool sendAndReceiveOnce(const struct functions *functions) {
    char byte;
    return functions->send(pair[0], "x", 1, 0) == 1 && functions->recv(pair[1], &byte, 1, 0) == 1;
}

static bool dupAndCloseOnce(const struct functions *functions) {
    int copy = functions->dup(devNull);
    return copy >= 0 && functions->close(copy) == 0;
}

// What an event loop that has nothing to do asks for.
static bool pollOnce(const struct functions *functions) {
    struct pollfd polled = {.fd = pair[0], .events = POLLIN};
    return functions->poll(&polled, 1, 0) == 0;
}

static bool epollWaitOnce(const struct functions *functions) {
    struct epoll_event events[8];
    return functions->epoll_wait(emptyEpoll, events, 8, 0) == 0;
}

static bool epollControlOnce(const struct functions *functions) {
    struct epoll_event event = {.events = EPOLLIN};
    return functions->epoll_ctl(epoll, EPOLL_CTL_MOD, pair[0], &event) == 0;
}

static const struct operation {
    const char *name;
    bool (*once)(const struct functions *);
    // Where in `struct functions` its functions are.
    size_t first, count;
} operations[] = {
    {"write", writeOnce, offsetof(struct functions, write), 1},
    {"read", readOnce, offsetof(struct functions, read), 1},
    {"send+recv", sendAndReceiveOnce, offsetof(struct functions, send), 2},
    {"dup+close", dupAndCloseOnce, offsetof(struct functions, dup), 2},
    {"poll", pollOnce, offsetof(struct functions, poll), 1},
    {"epoll_wait", epollWaitOnce, offsetof(struct functions, epoll_wait), 1},
    {"epoll_ctl", epollControlOnce, offsetof(struct functions, epoll_ctl), 1},
};

static struct functions functionsFrom(void *handle) {
    struct functions functions = {
        .write = dlsym(handle, "write"),
        .read = dlsym(handle, "read"),
        .send = dlsym(handle, "send"),
        .recv = dlsym(handle, "recv"),
        .dup = dlsym(handle, "dup"),
        .close = dlsym(handle, "close"),
        .poll = dlsym(handle, "poll"),
        .epoll_wait = dlsym(handle, "epoll_wait"),
        .epoll_ctl = dlsym(handle, "epoll_ctl"),
    };
    return functions;
}

static double nanosecondsPerCall(const struct operation *operation, const struct functions *functions) {
    int64_t start = nanoseconds();
    for (int i = 0; i < callsInBatch; i++)
        if (!operation->once(functions)) fail(operation->name);
    return (double)(nanoseconds() - start) / callsInBatch;
}

int main(int argc, char **argv) {
    if (argc != 2 && argc != 4) return fprintf(stderr, "usage: calls PAIRS [ADDRESS PORT]\n"), 2;
    size_t pairs = (size_t)positive(argv[1]);
    if (argc == 4) {
        struct sockaddr_in target = endpoint(argv[2], argv[3]);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&target, sizeof target) != 0) fail("connect");
    }
    devNull = open("/dev/null", O_WRONLY);
    if (devNull < 0) fail("/dev/null");
    devZero = open("/dev/zero", O_RDONLY);
    if (devZero < 0) fail("/dev/zero");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) fail("socketpair");
    emptyEpoll = epoll_create1(0);
    epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    if (emptyEpoll < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event) != 0) fail("epoll");

    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    if (!libc) fail("libc.so.6");
    struct functions real = functionsFrom(libc), given = functionsFrom(RTLD_DEFAULT);

    double *reals = allocate(pairs, sizeof *reals), *added = allocate(pairs, sizeof *added);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        const struct operation *operation = &operations[i];
        nanosecondsPerCall(operation, &real);
        nanosecondsPerCall(operation, &given);
        for (size_t j = 0; j < pairs; j++) {
            // Neither always comes first.
            double withGiven = j % 2 ? nanosecondsPerCall(operation, &given) : 0;
            reals[j] = nanosecondsPerCall(operation, &real);
            if (j % 2 == 0) withGiven = nanosecondsPerCall(operation, &given);
            added[j] = withGiven - reals[j];
        }
        bool interposed = memcmp((char *)&real + operation->first, (char *)&given + operation->first,
                                 operation->count * sizeof(void *)) != 0;
        printf("%s %.2f %.2f %d\n", operation->name, median(reals, pairs), median(added, pairs), interposed);
    }
}
