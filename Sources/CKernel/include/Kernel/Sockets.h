/* Sockets. */
#pragma once

#include <linux/sock_diag.h>
#include <fcntl.h>
#include <linux/socket.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "Call.h"

/* Since Linux 5.14. */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#define SOCK_SNDBUF_LOCK 1
#define SOCK_RCVBUF_LOCK 2
#endif

static inline long kernel_socket(int domain, int type, int protocol) {
    return kernel_call(SYS_socket, domain, type, protocol, 0, 0, 0);
}

static inline long kernel_bind(int fd, const void *_Nonnull address, socklen_t length) {
    return kernel_call(SYS_bind, fd, (long)address, length, 0, 0, 0);
}

static inline long kernel_connect(int fd, const void *_Nonnull address, socklen_t length) {
    return kernel_call(SYS_connect, fd, (long)address, length, 0, 0, 0);
}

static inline long kernel_shutdown(int fd, int how) {
    return kernel_call(SYS_shutdown, fd, how, 0, 0, 0, 0);
}

static inline long kernel_send(int fd, const void *_Nonnull bytes, size_t count, int flags) {
    return kernel_call(SYS_sendto, fd, (long)bytes, (long)count, flags, 0, 0);
}

/* sendto(2) */
static inline long kernel_send_to(int fd, const void *_Nonnull bytes, size_t count, int flags,
                                  const void *_Nullable address, socklen_t length) {
    return kernel_call(SYS_sendto, fd, (long)bytes, (long)count, flags, (long)address, length);
}

static inline long kernel_receive(int fd, void *_Nonnull bytes, size_t count, int flags) {
    return kernel_call(SYS_recvfrom, fd, (long)bytes, (long)count, flags, 0, 0);
}

/* sendmsg(2) */
static inline long kernel_send_message(int fd, const struct msghdr *_Nonnull message, int flags) {
    return kernel_call(SYS_sendmsg, fd, (long)message, flags, 0, 0, 0);
}

/* recvmsg(2) */
static inline long kernel_receive_message(int fd, struct msghdr *_Nonnull message, int flags) {
    return kernel_call(SYS_recvmsg, fd, (long)message, flags, 0, 0, 0);
}

/* The number of unread bytes (tcp(7), SIOCINQ). */
static inline long kernel_unread(int fd) {
    int count = 0;
    long result = kernel_call(SYS_ioctl, fd, FIONREAD, (long)&count, 0, 0, 0);
    return result < 0 ? result : count;
}

/* Reads one option of `length` bytes. */
static inline long kernel_getsockopt(int fd, int level, int option, void *_Nonnull value, socklen_t length) {
    return kernel_call(SYS_getsockopt, fd, level, option, (long)value, (long)&length, 0);
}

static inline long kernel_setsockopt(int fd, int level, int option, const void *_Nonnull value, socklen_t length) {
    return kernel_call(SYS_setsockopt, fd, level, option, (long)value, length, 0);
}

/* getsockopt(2) with pointers of the program, which may be invalid. */
static inline long kernel_ask_option(int fd, int level, int option, void *_Nullable value,
                                     socklen_t *_Nullable length) {
    return kernel_call(SYS_getsockopt, fd, level, option, (long)value, (long)length, 0);
}

/* setsockopt(2), likewise. */
static inline long kernel_give_option(int fd, int level, int option, const void *_Nullable value, socklen_t length) {
    return kernel_call(SYS_setsockopt, fd, level, option, (long)value, length, 0);
}

/* Whether the kernel chooses the size of a socket's buffer (SO_SNDBUF, SO_RCVBUF). */
static inline int kernel_chooses_buffer(int fd, int option) {
    int are_set = 0;
    return kernel_getsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &are_set, sizeof are_set) == 0 &&
           !(are_set & (option == SO_SNDBUF ? SOCK_SNDBUF_LOCK : SOCK_RCVBUF_LOCK));
}

/* How many bytes a socket may have queued (SO_SNDBUF), and how many it has, as the kernel counts them (SO_MEMINFO). */
static inline long kernel_send_buffer(int fd, uint32_t *_Nonnull limit, uint32_t *_Nonnull queued) {
    uint32_t info[SK_MEMINFO_VARS];
    long result = kernel_getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, sizeof info);
    *limit = result == 0 ? info[SK_MEMINFO_SNDBUF] : 0;
    *queued = result == 0 ? info[SK_MEMINFO_WMEM_QUEUED] : 0;
    return result;
}

static inline long kernel_getsockname(int fd, void *_Nonnull address, socklen_t *_Nonnull length) {
    return kernel_call(SYS_getsockname, fd, (long)address, (long)length, 0, 0, 0);
}

static inline long kernel_getpeername(int fd, void *_Nonnull address, socklen_t *_Nonnull length) {
    return kernel_call(SYS_getpeername, fd, (long)address, (long)length, 0, 0, 0);
}

/* Reads what a descriptor of any process refers to, in proc(5)'s words (/proc/PID/fd); the length, or a negative error
 * number. */
static inline long kernel_read_descriptor(int process, int fd, char *_Nonnull target, size_t size) {
    char path[48] = "/proc/", digits[12];
    size_t end = 6;
    const unsigned parts[2] = {(unsigned)process, (unsigned)fd};
    for (int part = 0; part < 2; part++) {
        int count = 0;
        for (unsigned rest = parts[part]; count == 0 || rest; rest /= 10) digits[count++] = (char)('0' + rest % 10);
        while (count) path[end++] = digits[--count];
        for (const char *name = part ? "" : "/fd/"; *name; name++) path[end++] = *name;
    }
    path[end] = 0;
    return kernel_call(SYS_readlinkat, AT_FDCWD, (long)path, (long)target, (long)size, 0, 0);
}

/* The inode number of a socket, from a descriptor in any process; negative if it is no socket, or not accessible. */
static inline long kernel_socket_number(int process, int fd) {
    char target[48];
    long length = kernel_read_descriptor(process, fd, target, sizeof target);
    if (length < 9 || target[0] != 's' || target[7] != '[') return -1;
    long number = 0;
    for (long at = 8; at < length && target[at] != ']'; at++) number = number * 10 + target[at] - '0';
    return number;
}

/* Whether the descriptor of this process is a file that kernel_open_memory() has made. */
static inline int kernel_is_memory(int process, int fd) {
    static const char name[] = "/memfd:socksify (deleted)";
    char target[sizeof name];
    return kernel_read_descriptor(process, fd, target, sizeof target) == sizeof name - 1 &&
           memcmp(target, name, sizeof name - 1) == 0;
}
