/* What the files of exported names share. */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "CInterpose.h"

/* Turns a result of the Swift side into libc's convention. */
static inline int returned(int result) {
    if (result >= 0) return result;
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

/* Before clone(2) or clone3(2) with these flags. */
void before_clone(uint64_t flags);

/* Around a call that puts the process under a filter (seccomp(2)); the second when it has succeeded. */
void before_filter(void);
void after_filter(void);

/* Whether there is memory to be read, of eight bytes or more, at both ends: where not, the kernel is left to say
 * EFAULT. A system call or two, for what is rare. */
static inline int is_readable(const void *start, size_t size) {
    const char *last = (const char *)start + size - 8;
    int is_one_page = ((uintptr_t)start ^ (uintptr_t)(last + 7)) < 4096;
    return kernel_can_read(start) && (is_one_page || kernel_can_read(last));
}
