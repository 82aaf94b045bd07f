/* Waits on an epoll; pending connections advance meanwhile, and their events are hidden from the program. */
#pragma once

#include <sys/epoll.h>

#include "Interpose.h"

/* A wait on an epoll for a duration (see Durations.h), by any function. */
struct epoll_call {
    int (*_Nonnull wait)(const struct epoll_call *_Nonnull call, int64_t duration);
    int epoll;
    struct epoll_event *_Nullable events;
    int room;
    const sigset_t *_Nullable signals;
};

/* The same with other threads: one may begin a handshake meanwhile, and an event may then be the library's. */
int epoll_wait_beside(const struct epoll_call *_Nonnull call, int64_t duration);
