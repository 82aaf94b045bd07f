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

/* The family that an address says it is of; -1 where there is none to read: too short, or in the first page, which is
 * never mapped (a NULL, or a member of a NULL structure). The kernel then answers with EFAULT or EINVAL. */
static inline int family_of(const struct sockaddr *address, socklen_t length) {
    return (uintptr_t)address >= 4096 && length >= sizeof address->sa_family ? address->sa_family : -1;
}

static inline int is_internet(const struct sockaddr *address, socklen_t length) {
    int family = family_of(address, length);
    return family == AF_INET || family == AF_INET6;
}
