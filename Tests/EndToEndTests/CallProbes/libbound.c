/* A library that connects. */
#include <sys/socket.h>

int library_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return connect(fd, address, length);
}
