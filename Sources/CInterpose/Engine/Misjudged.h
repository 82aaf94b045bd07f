/* Descriptors of which the kernel says that there is something to be read, when for the program there is nothing:
 * sockets with datagrams that are none of the program's, and the epolls that watch them. */
#pragma once

#include <poll.h>
#include <sys/epoll.h>

#include "Interpose.h"

/* The marks of what may be one. */
enum { MISJUDGED = DESCRIPTOR_RELAYED | DESCRIPTOR_EPOLL };

static inline int may_be_misjudged(int fd) {
    return relayed_any(pending_word()) && descriptor_mark(fd) & MISJUDGED;
}

/* Takes POLLIN from sockets of datagrams of which a call that waits would get nothing, as the kernel does where
 * checksums are wrong, and from epolls that have no other events. Returns how many of `ready` descriptors are left. */
int withdraw_readiness(struct pollfd *_Nullable descriptors, nfds_t count, int ready);

/* Takes out the events that are about nothing for the program, and returns how many are left. */
int withhold_events(int epoll, struct epoll_event *_Nonnull events, int count);

/* How often a registration of the program's was made anew because it was not told of an event. */
uint64_t count_of_renewals(void);
