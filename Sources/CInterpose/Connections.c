/* connect, getpeername, and the sends that name an address. */
#include "Interpose.h"

#include <sys/syscall.h>
#include <stdarg.h>
#include <unistd.h>

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

ssize_t sendto(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address, socklen_t length) {
    if (!is_internet(address, length)) return REAL(sendto)(fd, bytes, count, flags, address, length);
    int result = socksify_send_to(fd, address, length, flags);
    if (result == SOCKSIFY_PASS) return REAL(sendto)(fd, bytes, count, flags, address, length);
    if (result < 0) return returned(result);
    return REAL(sendto)(fd, bytes, count, flags & ~MSG_FASTOPEN, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    if (!message || !is_internet(message->msg_name, message->msg_namelen)) return REAL(sendmsg)(fd, message, flags);
    int result = socksify_send_to(fd, message->msg_name, message->msg_namelen, flags);
    if (result == SOCKSIFY_PASS) return REAL(sendmsg)(fd, message, flags);
    if (result < 0) return returned(result);
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
    return REAL(sendmmsg)(fd, messages, messages ? allowed : count, flags);
}

/* System calls that are hooked by their names are hooked by their numbers too; all others go on with six words,
 * which is as many as any takes. */
long syscall(long number, ...) {
    va_list arguments;
    long word[6];
    va_start(arguments, number);
    for (int index = 0; index < 6; index++) word[index] = va_arg(arguments, long);
    va_end(arguments);
    switch (number) {
        case SYS_connect:
            return connect((int)word[0], (const struct sockaddr *)word[1], (socklen_t)word[2]);
        case SYS_getpeername:
            return getpeername((int)word[0], (struct sockaddr *)word[1], (socklen_t *)word[2]);
        case SYS_sendto:
            return sendto((int)word[0], (const void *)word[1], (size_t)word[2], (int)word[3],
                          (const struct sockaddr *)word[4], (socklen_t)word[5]);
        case SYS_sendmsg:
            return sendmsg((int)word[0], (const struct msghdr *)word[1], (int)word[2]);
        case SYS_sendmmsg:
            return sendmmsg((int)word[0], (struct mmsghdr *)word[1], (unsigned int)word[2], (int)word[3]);
        case SYS_execve:
            return execve((const char *)word[0], (char *const *)word[1], (char *const *)word[2]);
        case SYS_execveat:
            return execveat((int)word[0], (const char *)word[1], (char *const *)word[2], (char *const *)word[3],
                            (int)word[4]);
        default:
            return REAL(syscall)(number, word[0], word[1], word[2], word[3], word[4], word[5]);
    }
}
