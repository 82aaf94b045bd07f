// What the benchmark programs share: a clock, a median, addresses, and one way to give up.

#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

/// Ends the program: a figure from a run in which something failed would be worse than none.
static inline _Noreturn void fail(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

static inline int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int compareDoubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/// Sorts `samples`.
static inline double median(double *samples, size_t count) {
    qsort(samples, count, sizeof *samples, compareDoubles);
    return count % 2 ? samples[count / 2] : (samples[count / 2 - 1] + samples[count / 2]) / 2;
}

static inline void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) fail("calloc");
    return memory;
}

static inline int positive(const char *text) {
    int value = atoi(text);
    if (value > 0) return value;
    errno = EINVAL;
    fail(text);
}

static inline struct sockaddr_in endpoint(const char *address, const char *port) {
    struct sockaddr_in endpoint = {.sin_family = AF_INET, .sin_port = htons((uint16_t)positive(port))};
    errno = EINVAL;
    if (inet_pton(AF_INET, address, &endpoint.sin_addr) != 1) fail(address);
    return endpoint;
}

/// Lets the process have as many descriptors as a connection for every port would take, or as many as it may.
static inline void allowDescriptors(void) {
    const rlim_t wanted = 65536;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
    if (limit.rlim_cur >= wanted) return;
    struct rlimit raised = {.rlim_cur = wanted, .rlim_max = limit.rlim_max > wanted ? limit.rlim_max : wanted};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
    // Not everybody may raise the hard limit.
    raised.rlim_cur = raised.rlim_max = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) != 0) fail("setrlimit");
}
