/* Waits on an epoll: what is pending goes on meanwhile, and its events are not the program's. */
#pragma once

#include <sys/epoll.h>

#include "Interpose.h"

/* A wait on an epoll for a duration (see Durations.h), whichever function it is. */
struct epoll_call {
    int (*_Nonnull wait)(const struct epoll_call *_Nonnull call, int64_t duration);
    int epoll;
    struct epoll_event *_Nullable events;
    int room;
    const sigset_t *_Nullable signals;
};

/* The same while other threads run: one may begin a handshake meanwhile, and then an event may be the library's. */
int epoll_wait_beside(const struct epoll_call *_Nonnull call, int64_t duration);
