/* Relayed datagrams, for the hooks that read and write. */
#pragma once

#include "Interpose.h"

/* ----- Sending ----- */

/* Whether a send must be routed: it has an address, or the socket may be relayed. */
static inline int is_to_be_decided(int fd, const struct sockaddr *address, socklen_t length) {
    /* AF_UNSPEC means AF_INET to the kernel. */
    return is_internet(address, length) || family_of(address, length) == AF_UNSPEC || descriptor_may_be_transformed(fd);
}

enum sending {
    /* libc's function must run. */
    SENT_BY_LIBC,
    /* The same, without address and MSG_FASTOPEN: the socket is connected already. */
    SENT_BY_LIBC_UNADDRESSED,
    /* `result` has the call's result, and `errno` is set. */
    SENT,
};
enum sending decide_and_send(int fd, const struct msghdr *message, int flags, ssize_t *result);
enum sending decide_and_send_bytes(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address,
                                   socklen_t length, ssize_t *result);
/* Returns 0 if libc must send the first `count` messages, with these flags. */
int relayed_send_several(int fd, struct mmsghdr *messages, unsigned *count, int *flags, int *result);

/* ----- Without an address, and receiving ----- */

/* Each returns 0 if the socket is not relayed, and libc's function must run; else `result` has the call's result, and
 * `errno` is set. Called only if descriptor_may_be_relayed(). */
int relayed_send_bytes(int fd, const void *bytes, size_t count, int flags, ssize_t *result);
int relayed_send_parts(int fd, const struct iovec *parts, int count, ssize_t *result);
int relayed_receive(int fd, struct msghdr *message, int flags, ssize_t *result);
int relayed_receive_bytes(int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length,
                          ssize_t *result);
int relayed_receive_parts(int fd, const struct iovec *parts, int count, ssize_t *result);
int relayed_receive_several(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout,
                            int *result);
/* After libc's function has received a datagram on a socket that became relayed while the call waited: decapsulates it.
 * 0 if the program must not see it. Leaves it unchanged if the socket is not relayed after all. The part of the payload
 * that the header has pushed out of the program's buffer is lost. */
int relayed_late(int fd, struct msghdr *message, int flags, ssize_t *result);
/* sendfile(2) and splice(2) with such a socket, which cannot add or remove a header. */
int relayed_transfer(int fd, ssize_t *result);
/* ioctl(FIONREAD): the length of the next datagram. */
int relayed_unread(int fd, int *unread);
/* Whether a receiving call would get a datagram although the kernel reports the socket as readable. For a non-blocking
 * socket no check is needed. */
int relayed_has_datagram(int fd);
/* The same for blocking and non-blocking sockets: an epoll may report an event only once. */
int relayed_is_readable(int fd);
