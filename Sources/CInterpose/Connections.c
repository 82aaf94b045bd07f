/* connect, and the addresses of both ends. */
#include "Interpose.h"

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    /* AF_UNSPEC ends a connection. */
    if (!is_internet(address, length) && family_of(address, length) != AF_UNSPEC)
        return REAL(connect)(fd, address, length);
    pthread_testcancel();
    int result = socksify_connect(fd, address, length);
    return result == SOCKSIFY_PASS ? REAL(connect)(fd, address, length) : returned(result);
}

int __connect(int fd, const struct sockaddr *address, socklen_t length) __attribute__((alias("connect")));

int getpeername(int fd, struct sockaddr *address, socklen_t *length) {
    if (!length) return REAL(getpeername)(fd, address, length);
    socklen_t room = *length;
    /* What the kernel could write to can be written to. */
    if (REAL(getpeername)(fd, address, length) != 0) return -1;
    if (!address) return 0;
    int result = socksify_getpeername(fd, address, room, length);
    return result == SOCKSIFY_PASS ? 0 : returned(result);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    if (!may_be_replaced(fd) || !length || !address) return REAL(getsockname)(fd, address, length);
    socklen_t room = *length;
    /* What the kernel could write to can be written to. */
    if (REAL(getsockname)(fd, address, length) != 0) return -1;
    int result = socksify_getsockname(fd, address, room, length);
    return result == SOCKSIFY_PASS ? 0 : returned(result);
}
