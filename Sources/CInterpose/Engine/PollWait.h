/* Waits for descriptors; pending connections advance meanwhile. */
#pragma once

#include <poll.h>

#include "Interpose.h"

/* poll(2) until a time (see Durations.h), with these signals blocked (NULL: those that are). */
int poll_until(struct pollfd *_Nullable descriptors, nfds_t count, int64_t end, const sigset_t *_Nullable signals);

/* The same for an epoll and the other pending connections; `besides` as for socksify_unattended(). */
int poll_epoll_until(int epoll, int64_t end, const sigset_t *_Nullable signals, int besides);

/* The longest wait for a socket that another thread may complete, because that thread does not wake this one. */
#define LONGEST_SHARED_WAIT (50 * NANOSECONDS_IN_MILLISECOND)
