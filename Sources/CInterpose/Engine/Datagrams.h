/* Datagrams that are relayed, for the exported names that read and write. */
#pragma once

#include "Interpose.h"

/* ----- Sending ----- */

/* Whether a send is to be decided on: it names an address, or may be of a socket that is relayed. */
static inline int is_to_be_decided(int fd, const struct sockaddr *address, socklen_t length) {
    /* AF_UNSPEC means AF_INET to the kernel. */
    return is_internet(address, length) || family_of(address, length) == AF_UNSPEC || descriptor_may_be_relayed(fd);
}

enum sending {
    /* libc's own function is to run. */
    SENT_BY_LIBC,
    /* The same without address, and without MSG_FASTOPEN, which has connected the socket. */
    SENT_BY_LIBC_UNADDRESSED,
    /* What the call returns is in `result`, and `errno` is set. */
    SENT,
};
enum sending decide_and_send(int fd, const struct msghdr *message, int flags, ssize_t *result);
enum sending decide_and_send_bytes(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address,
                                   socklen_t length, ssize_t *result);
/* Returns 0 where libc is to send the first `count` of the messages, with these flags. */
int relayed_send_several(int fd, struct mmsghdr *messages, unsigned *count, int *flags, int *result);

/* ----- Without an address, and receiving ----- */

/* Each returns 0 where the descriptor's datagrams are not relayed, and libc's own function is to run; else what the
 * call returns is in `result`, and `errno` is set. Only for what descriptor_may_be_relayed(). */
int relayed_send_bytes(int fd, const void *bytes, size_t count, int flags, ssize_t *result);
int relayed_send_parts(int fd, const struct iovec *parts, int count, ssize_t *result);
int relayed_receive(int fd, struct msghdr *message, int flags, ssize_t *result);
int relayed_receive_bytes(int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length,
                          ssize_t *result);
int relayed_receive_parts(int fd, const struct iovec *parts, int count, ssize_t *result);
int relayed_receive_several(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout,
                            int *result);
/* After libc's own function has received a datagram by a socket that is relayed by now, but was not when the call began
 * to wait: decapsulates it. 0 when it is none of the program's; when the socket is not relayed after all, it is left as
 * it is. What a header has pushed out of the program's room is lost. */
int relayed_late(int fd, struct msghdr *message, int flags, ssize_t *result);
/* sendfile(2) and splice(2) to or from such a socket, which have no place for a header. */
int relayed_transfer(int fd, ssize_t *result);
/* ioctl(FIONREAD): the length of the next datagram. */
int relayed_unread(int fd, int *unread);
/* Whether a call that receives would get something where the kernel says that there is something. Of a socket that does
 * not wait nobody needs to know. */
int relayed_has_datagram(int fd);
/* The same of a socket whether it waits or not: what an epoll has told once it may never tell again. */
int relayed_is_readable(int fd);
