/* connect, and the addresses of both ends. */
#include "Interpose.h"

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    int family = family_of(address, length);
    /* AF_UNSPEC ends a connection. For a pending one the kernel reports that before it looks at the address. */
    if (family != AF_INET && family != AF_INET6 && family != AF_UNSPEC &&
        (family < 0 || !descriptor_may_be_pending(fd)))
        return REAL(connect)(fd, address, length);
    if (mechanism_calls() && (family == AF_INET || family == AF_INET6)) {
        if (mechanism_calls() == MECHANISM_CALLS_DIRECT) return REAL(connect)(fd, address, length);
        mechanism_calls_refuse();
        errno = ENETUNREACH;
        return -1;
    }
    pthread_testcancel();
    int result = socksify_connect(fd, address, length);
    return result == SOCKSIFY_PASS ? REAL(connect)(fd, address, length) : returned(result);
}

int __connect(int fd, const struct sockaddr *address, socklen_t length) __attribute__((alias("connect")));

/* These wait for clients; pending connections advance meanwhile. */

static __attribute__((noinline)) int accept4_beside(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return may_wait(fd, 0) ? REAL(accept4)(fd, address, length, flags) : -1;
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    __typeof__(&accept4) known = KNOWN(accept4);
    if (pending_is_undisturbed(pending_word()) && known) return known(fd, address, length, flags);
    return accept4_beside(fd, address, length, flags);
}

static __attribute__((noinline)) int accept_beside(int fd, struct sockaddr *address, socklen_t *length) {
    return may_wait(fd, 0) ? REAL(accept)(fd, address, length) : -1;
}

int accept(int fd, struct sockaddr *address, socklen_t *length) {
    __typeof__(&accept) known = KNOWN(accept);
    if (pending_is_undisturbed(pending_word()) && known) return known(fd, address, length);
    return accept_beside(fd, address, length);
}

int getpeername(int fd, struct sockaddr *address, socklen_t *length) {
    if (!length) return REAL(getpeername)(fd, address, length);
    socklen_t room = *length;
    /* The memory is writable, because the kernel has written to it. */
    if (REAL(getpeername)(fd, address, length) != 0) return -1;
    if (!address) return 0;
    int result = socksify_getpeername(fd, address, room, length);
    return result == SOCKSIFY_PASS ? 0 : returned(result);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    if (!descriptor_may_be_renamed(fd) || !length || !address) return REAL(getsockname)(fd, address, length);
    socklen_t room = *length;
    /* The memory is writable, because the kernel has written to it. */
    if (REAL(getsockname)(fd, address, length) != 0) return -1;
    int result = socksify_getsockname(fd, address, room, length);
    return result == SOCKSIFY_PASS ? 0 : returned(result);
}
