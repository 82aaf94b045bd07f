/* Calls that read from and write to a descriptor. On one that is not in flight, a load and a branch. */
#include "Interpose.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#define PREPARE(fd, flags)                                                                     \
    do {                                                                                       \
        if (may_be_in_flight(fd)) {                                                            \
            int result = socksify_prepare_io(fd, flags);                                       \
            if (result != SOCKSIFY_PASS) return returned(result);                              \
        }                                                                                      \
    } while (0)

static inline unsigned message_flags(int flags) {
    return flags & MSG_DONTWAIT ? SOCKSIFY_NONBLOCKING : 0;
}

static inline unsigned read_write_flags(int flags) {
    return flags & RWF_NOWAIT ? SOCKSIFY_NONBLOCKING : 0;
}

/* ----- Receiving ----- */

ssize_t read(int fd, void *bytes, size_t count) {
    /* Nothing can be read at any time. */
    if (count > 0) PREPARE(fd, 0);
    return REAL(read)(fd, bytes, count);
}

ssize_t __read(int fd, void *bytes, size_t count) __attribute__((alias("read")));

ssize_t __read_chk(int fd, void *bytes, size_t count, size_t room) {
    if (count > 0) PREPARE(fd, 0);
    return REAL(__read_chk)(fd, bytes, count, room);
}

ssize_t readv(int fd, const struct iovec *parts, int count) {
    PREPARE(fd, 0);
    return REAL(readv)(fd, parts, count);
}

ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    PREPARE(fd, read_write_flags(flags));
    return REAL(preadv2)(fd, parts, count, offset, flags);
}

ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
    __attribute__((alias("preadv2")));

ssize_t recv(int fd, void *bytes, size_t count, int flags) {
    PREPARE(fd, message_flags(flags));
    return REAL(recv)(fd, bytes, count, flags);
}

ssize_t __recv_chk(int fd, void *bytes, size_t count, size_t room, int flags) {
    PREPARE(fd, message_flags(flags));
    return REAL(__recv_chk)(fd, bytes, count, room, flags);
}

ssize_t recvfrom(int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length) {
    PREPARE(fd, message_flags(flags));
    return REAL(recvfrom)(fd, bytes, count, flags, address, length);
}

ssize_t __recvfrom_chk(int fd, void *bytes, size_t count, size_t room, int flags, struct sockaddr *address,
                       socklen_t *length) {
    PREPARE(fd, message_flags(flags));
    return REAL(__recvfrom_chk)(fd, bytes, count, room, flags, address, length);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    PREPARE(fd, message_flags(flags));
    return REAL(recvmsg)(fd, message, flags);
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout) {
    PREPARE(fd, message_flags(flags));
    return REAL(recvmmsg)(fd, messages, count, flags, timeout);
}

/* ----- Sending ----- */

ssize_t write(int fd, const void *bytes, size_t count) {
    PREPARE(fd, SOCKSIFY_SENDING);
    return REAL(write)(fd, bytes, count);
}

ssize_t __write(int fd, const void *bytes, size_t count) __attribute__((alias("write")));

ssize_t writev(int fd, const struct iovec *parts, int count) {
    PREPARE(fd, SOCKSIFY_SENDING);
    return REAL(writev)(fd, parts, count);
}

ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    PREPARE(fd, SOCKSIFY_SENDING | read_write_flags(flags));
    return REAL(pwritev2)(fd, parts, count, offset, flags);
}

ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
    __attribute__((alias("pwritev2")));

ssize_t send(int fd, const void *bytes, size_t count, int flags) {
    PREPARE(fd, SOCKSIFY_SENDING | message_flags(flags));
    return REAL(send)(fd, bytes, count, flags);
}

ssize_t __send(int fd, const void *bytes, size_t count, int flags) __attribute__((alias("send")));

/* Sends that name an address: MSG_FASTOPEN connects, and then there is none to name any more. */

ssize_t sendto(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address, socklen_t length) {
    int result = is_internet(address, length) ? socksify_send_to(fd, address, length, flags) : SOCKSIFY_PASS;
    if (result < 0) return returned(result);
    PREPARE(fd, SOCKSIFY_SENDING | message_flags(flags));
    if (result == SOCKSIFY_PASS) return REAL(sendto)(fd, bytes, count, flags, address, length);
    return REAL(sendto)(fd, bytes, count, flags & ~MSG_FASTOPEN, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    int result = message && is_internet(message->msg_name, message->msg_namelen)
                     ? socksify_send_to(fd, message->msg_name, message->msg_namelen, flags)
                     : SOCKSIFY_PASS;
    if (result < 0) return returned(result);
    PREPARE(fd, SOCKSIFY_SENDING | message_flags(flags));
    if (result == SOCKSIFY_PASS) return REAL(sendmsg)(fd, message, flags);
    struct msghdr unaddressed = *message;
    unaddressed.msg_name = NULL;
    unaddressed.msg_namelen = 0;
    return REAL(sendmsg)(fd, &unaddressed, flags & ~MSG_FASTOPEN);
}

/* Sends the messages up to the first whose destination is refused, as the kernel does with one that fails. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
    unsigned int allowed = 0;
    for (; messages && allowed < count; allowed++) {
        const struct msghdr *message = &messages[allowed].msg_hdr;
        if (!is_internet(message->msg_name, message->msg_namelen)) continue;
        int result = socksify_send_to(fd, message->msg_name, message->msg_namelen, flags);
        if (result == SOCKSIFY_PASS) continue;
        if (result == 0) {
            flags &= ~MSG_FASTOPEN;
            continue;
        }
        if (allowed == 0) return returned(result);
        break;
    }
    PREPARE(fd, SOCKSIFY_SENDING | message_flags(flags));
    return REAL(sendmmsg)(fd, messages, messages ? allowed : count, flags);
}

/* ----- From one descriptor to another ----- */

ssize_t sendfile(int to, int from, off_t *offset, size_t count) {
    PREPARE(to, SOCKSIFY_SENDING);
    return REAL(sendfile)(to, from, offset, count);
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) __attribute__((alias("sendfile")));

ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t count, unsigned int flags) {
    unsigned waits = flags & SPLICE_F_NONBLOCK ? SOCKSIFY_NONBLOCKING : 0;
    PREPARE(from, waits);
    PREPARE(to, SOCKSIFY_SENDING | waits);
    return REAL(splice)(from, from_offset, to, to_offset, count, flags);
}

/* ----- Questions about a stream ----- */

int getsockopt(int fd, int level, int option, void *value, socklen_t *length) {
    if (level != SOL_SOCKET || option != SO_ERROR || !may_be_in_flight(fd))
        return REAL(getsockopt)(fd, level, option, value, length);
    int error = socksify_take_error(fd);
    int result = REAL(getsockopt)(fd, level, option, value, length);
    /* What the kernel could write to can be written to. */
    if (result == 0 && error != SOCKSIFY_PASS) memcpy(value, &error, *length < sizeof error ? *length : sizeof error);
    return result;
}

int shutdown(int fd, int how) {
    if (how >= SHUT_RD && how <= SHUT_RDWR && may_be_in_flight(fd)) {
        int result = socksify_shutdown(fd);
        if (result != SOCKSIFY_PASS) return returned(result);
    }
    return REAL(shutdown)(fd, how);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int is_in_flight = request == FIONREAD && may_be_in_flight(fd) && socksify_is_in_flight(fd);
    int result = REAL(ioctl)(fd, request, argument);
    if (result == 0 && is_in_flight) *(int *)argument = 0;
    return result;
}
