/* What the files of exported names share. */
#pragma once

#include <errno.h>
#include <pthread.h>

#include "CInterpose.h"

/* Turns a result of the Swift side into libc's convention. A call that a signal ended may have been ended by
 * pthread_cancel(): connect(2) is a cancellation point, and only here, without Swift's frames below, may the thread
 * unwind. */
static inline int returned(int result) {
    if (result >= 0) return result;
    if (result == -EINTR) pthread_testcancel();
    errno = -result;
    return -1;
}

/* AF_UNSPEC, which ends a connection (connect(2)). */
static inline int is_unspecified(const struct sockaddr *address, socklen_t length) {
    return address && length >= sizeof address->sa_family && address->sa_family == AF_UNSPEC;
}

static inline int is_internet(const struct sockaddr *address, socklen_t length) {
    return address && length >= sizeof address->sa_family &&
           (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}
