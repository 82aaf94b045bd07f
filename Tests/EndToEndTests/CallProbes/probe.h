/* Shared code of the probes. A probe prints its observations, a line for each fact; a test compares the lines. */
#pragma once

#include "descriptors.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Prints one line by one write. */
#define say(...) dprintf(1, __VA_ARGS__)

#define unused __attribute__((unused))

/* Ends the probe when a step that it needs has failed. */
#define require(condition)                                                          \
    do {                                                                            \
        if (!(condition)) {                                                         \
            say("probe failed at %s:%d: %s\n", __FILE__, __LINE__, strerror(errno)); \
            _exit(99);                                                              \
        }                                                                           \
    } while (0)

typedef struct {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage storage;
    };
    socklen_t length;
} address;

/* Sleeps by a raw system call, during which the library continues no handshake. */
unused static void doze(long microseconds) {
    syscall(SYS_nanosleep, &(struct timespec){microseconds / 1000000, microseconds % 1000000 * 1000}, NULL);
}

/* "0", or the name of the error that the call set. */
unused static const char *outcome(long result) {
    return result >= 0 ? "0" : strerrorname_np(errno);
}

/* A numeric address; needs no look-up. */
unused static address numeric(const char *host, const char *port) {
    address result = {0};
    if (inet_pton(AF_INET, host, &result.v4.sin_addr) == 1) {
        result.v4.sin_family = AF_INET;
        result.v4.sin_port = htons((unsigned short)atoi(port));
        result.length = sizeof result.v4;
    } else {
        require(inet_pton(AF_INET6, host, &result.v6.sin6_addr) == 1);
        result.v6.sin6_family = AF_INET6;
        result.v6.sin6_port = htons((unsigned short)atoi(port));
        result.length = sizeof result.v6;
    }
    return result;
}

/* "ADDRESS PORT" */
unused static const char *text_of(const struct sockaddr *from) {
    static __thread char text[80];
    char host[INET6_ADDRSTRLEN] = "?";
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)from;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(text, sizeof text, "%s %d", host, ntohs(v4->sin_port));
    } else if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)from;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(text, sizeof text, "%s %d", host, ntohs(v6->sin6_port));
    } else {
        snprintf(text, sizeof text, "family %d", from->sa_family);
    }
    return text;
}

/* The result of getpeername(2), or its error. */
unused static const char *peer_of(int fd) {
    static __thread char text[80];
    address peer = {.length = sizeof peer.storage};
    int result = getpeername(fd, &peer.any, &peer.length);
    snprintf(text, sizeof text, "%s", result == 0 ? text_of(&peer.any) : outcome(result));
    return text;
}

/* Reads exactly that many bytes, whether or not the descriptor blocks. */
unused static int read_all(int fd, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t some = read(fd, (char *)bytes + done, count - done);
        if (some < 0 && errno == EINTR) continue;
        if (some < 0 && errno == EAGAIN) {
            struct pollfd waiting = {fd, POLLIN, 0};
            poll(&waiting, 1, -1);
            continue;
        }
        if (some <= 0) return 0;
        done += (size_t)some;
    }
    return 1;
}

/* Whether the far end is an echo server: whether sent bytes come back. */
unused static const char *echo(int fd) {
    static const char message[] = "through the proxy and back";
    char answer[sizeof message];
    if (write(fd, message, sizeof message) != sizeof message) return outcome(-1);
    if (!read_all(fd, answer, sizeof answer)) return "no answer";
    return memcmp(answer, message, sizeof message) == 0 ? "echoed" : "another answer";
}

unused static int descriptor_count(void) {
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    require(directory);
    while (readdir(directory)) count++;
    closedir(directory);
    return count;
}

/* Sends a descriptor by a socket of unix(7), with a byte. */
unused static void pass_descriptor(int by, int fd) {
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    struct msghdr message = {.msg_iov = &(struct iovec){"x", 1}, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    require(sendmsg(by, &message, 0) == 1);
}

/* Receives one. */
unused static int take_descriptor(int by) {
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control;
    char byte;
    struct msghdr message = {.msg_iov = &(struct iovec){&byte, 1}, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    require(recvmsg(by, &message, 0) == 1 && CMSG_FIRSTHDR(&message));
    int fd;
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return own(fd);
}

/* Another descriptor of the same socket, which the process passes to itself. */
unused static int passed(int fd) {
    int pair[2];
    require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pass_descriptor(pair[0], fd);
    int copy = take_descriptor(pair[1]);
    require(close(pair[0]) == 0 && close(pair[1]) == 0);
    return copy;
}

unused static int stream(const address *to) {
    int fd = socket(to->any.sa_family, SOCK_STREAM, 0);
    require(fd >= 0);
    return fd;
}

/* A listener on this machine, at a port that the kernel chooses. Only the probe accepts its connections. */
unused static int listener(const char *host, const char *port, address *at) {
    *at = numeric(host, port);
    int fd = stream(at);
    require(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0);
    require(bind(fd, &at->any, at->length) == 0 && listen(fd, 64) == 0);
    require(getsockname(fd, &at->any, &at->length) == 0);
    return fd;
}

/* The proxy's side of one handshake. The probe does it itself, so it decides when the proxy answers. */
unused static int accept_client(int listening) {
    int fd = accept(listening, NULL, NULL);
    require(fd >= 0);
    return fd;
}

unused static void answer_greeting(int fd) {
    unsigned char greeting[3];
    require(read_all(fd, greeting, 3) && memcmp(greeting, "\5\1\0", 3) == 0);
    require(write(fd, "\5\0", 2) == 2);
}

/* For a request with an IPv4 address. */
unused static void answer_request(int fd, int code) {
    unsigned char request[10];
    require(read_all(fd, request, 10) && memcmp(request, "\5\1\0\1", 4) == 0);
    unsigned char reply[10] = {5, (unsigned char)code, 0, 1};
    require(write(fd, reply, 10) == 10);
}
