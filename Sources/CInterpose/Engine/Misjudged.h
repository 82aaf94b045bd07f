/* Descriptors that the kernel reports as readable although the program has nothing to read: sockets with datagrams that
 * the program must not see, and the epolls that watch them. */
#pragma once

#include <poll.h>
#include <sys/epoll.h>

#include "Interpose.h"

/* The marks of such descriptors. */
enum { MISJUDGED = DESCRIPTOR_RELAYED | DESCRIPTOR_EPOLL };

static inline int may_be_misjudged(int fd) {
    return relayed_any(pending_word()) && descriptor_mark(fd) & MISJUDGED;
}

/* Removes POLLIN from datagram sockets on which a blocking call would receive nothing, as the kernel does for wrong
 * checksums, and from epolls without other events. Returns how many of the `ready` descriptors remain. */
int withdraw_readiness(struct pollfd *_Nullable descriptors, nfds_t count, int ready);

/* Removes the events for which the program would find nothing, and returns how many remain. */
int withhold_events(int epoll, struct epoll_event *_Nonnull events, int count);

/* How often a registration of the program was renewed because an event was withheld. */
uint64_t count_of_renewals(void);
