/* Waits for descriptors; what is pending goes on meanwhile. */
#pragma once

#include <poll.h>

#include "Interpose.h"

/* poll(2) until a time (see Durations.h), with these signals blocked (NULL: those that are). */
int poll_until(struct pollfd *_Nullable descriptors, nfds_t count, int64_t end, const sigset_t *_Nullable signals);

/* The same, of an epoll, for what else is pending; `besides` as of socksify_unattended(). */
int poll_epoll_until(int epoll, int64_t end, const sigset_t *_Nullable signals, int besides);

/* How long a thread waits for a socket that another could bring to its end, of which it is not told. */
#define LONGEST_SHARED_WAIT (50 * NANOSECONDS_IN_MILLISECOND)
