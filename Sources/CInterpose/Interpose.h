/* What the files of exported names share. */
#pragma once

#include <errno.h>
#include <pthread.h>

#include "CInterpose.h"

/* Turns a result of the Swift side into libc's convention. */
static inline int returned(int result) {
    if (result >= 0) return result;
    errno = -result;
    return -1;
}

static inline int is_internet(const struct sockaddr *address, socklen_t length) {
    return address && length >= sizeof address->sa_family &&
           (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}
