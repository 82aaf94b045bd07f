/* Makes chosen calls for memory fail, and connects meanwhile.
 *
 * A filter (seccomp(2)) lets a thread of the probe decide on each call; the filter does not apply to that thread. */
#pragma once

#include "names.h"
#include "raw.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

static atomic_int calls, first_refused, last_refused, listener_of_calls = -1;

static void *decide(void *nothing) {
    while (listener_of_calls < 0) doze(100);
    for (;;) {
        struct seccomp_notif call = {0};
        if (syscall(SYS_ioctl, listener_of_calls, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) {
            require(errno == EINTR || errno == ENOENT);
            continue;
        }
        int number = ++calls;
        struct seccomp_notif_resp answer = {.id = call.id};
        if (number >= first_refused && number <= last_refused) answer.error = -ENOMEM;
        else answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        require(syscall(SYS_ioctl, listener_of_calls, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 || errno == ENOENT);
    }
    return nothing;
}

/* From now on `count` of this thread's calls for memory fail, from the given one on; 1 is the next. May be called
 * once in a process. */
static void refuse_memory(int first, int count) {
    static const int numbers[] = {SYS_mmap, SYS_mremap, SYS_madvise, SYS_memfd_create, SYS_ftruncate};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    struct sock_filter steps[COUNT + 3] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    for (int index = 0; index < COUNT; index++)
        steps[1 + index] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[index], (unsigned char)(COUNT - index), 0);
    steps[COUNT + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    steps[COUNT + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    struct sock_fprog filter = {COUNT + 3, steps};
    pthread_t thread;
    require(pthread_create(&thread, NULL, decide, NULL) == 0);
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    first_refused = first;
    last_refused = first + count - 1;
    /* A raw call: the library would prepare itself for the filter. */
    int fd = (int)raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, (long)&filter, 0, 0);
    require(fd >= 0);
    listener_of_calls = own(fd);
}

/* Starts the count again: the next call is the first. */
unused static void count_anew(void) { calls = 0; }

/* From now on no call fails. */
static void grant_memory(void) { last_refused = 0; }

/* ----- Ways ----- */

static const char *by_stream(const address *to) {
    int fd = stream(to);
    const char *result = connect(fd, &to->any, to->length) == 0 ? echo(fd) : outcome(-1);
    close(fd);
    return result;
}

unused static const char *by_epoll(const address *to) {
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), error = 0;
    struct epoll_event event = {.events = EPOLLOUT};
    require(fd >= 0 && epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    const char *result;
    if (connect(fd, &to->any, to->length) != 0 && errno != EINPROGRESS) {
        result = outcome(-1);
    } else {
        require(epoll_wait(epoll, &event, 1, -1) == 1);
        require(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error}) == 0);
        result = error ? strerrorname_np(error) : echo(fd);
    }
    require(close(epoll) == 0 && close(fd) == 0);
    return result;
}

unused static const char *by_datagram(const address *to) {
    int fd = socket(to->any.sa_family, SOCK_DGRAM, 0);
    require(fd >= 0);
    char byte;
    const char *result = outcome(sendto(fd, "x", 1, 0, &to->any, to->length));
    if (strcmp(result, "0") == 0) result = recv(fd, &byte, 1, 0) == 1 && byte == 'x' ? "echoed" : outcome(-1);
    close(fd);
    return result;
}

unused static const char *(*way_named(const char *name))(const address *) {
    return strcmp(name, "stream") == 0 ? by_stream : strcmp(name, "epoll") == 0 ? by_epoll : by_datagram;
}

unused static const char *look_up(const char *name) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    int error = getaddrinfo(name, NULL, &hints, &list);
    if (error == 0) freeaddrinfo(list);
    return code_name(error);
}
