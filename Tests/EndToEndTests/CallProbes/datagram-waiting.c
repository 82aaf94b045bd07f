/* datagram-waiting NAME HOST PORT: programs whose sends do not wait, and that wait for the answers. */
#include "datagram.h"

#include <sys/epoll.h>
#include <sys/select.h>

enum { COUNT = 5 };

static int nonblocking(void) {
    int fd = socket(far.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    require(fd >= 0);
    return fd;
}

static void send_all(int fd) {
    char text[] = "datagram 0";
    for (int number = 1; number <= COUNT; number++) {
        text[sizeof text - 2] = (char)('0' + number);
        require(sendto(fd, text, sizeof text - 1, 0, &far.any, far.length) == sizeof text - 1);
    }
}

/* Receives the waiting datagrams and returns their number. */
static int receive_all(int fd) {
    int received = 0;
    char bytes[64];
    for (;; received++) {
        address from = {.length = sizeof from.storage};
        ssize_t result = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, &from.any, &from.length);
        if (result < 0 && errno == EAGAIN) return received;
        report("recvfrom", result, bytes, sizeof bytes, &from, 0);
    }
}

static void by_poll(char **arguments unused) {
    int fd = nonblocking();
    send_all(fd);
    for (int received = 0; received < COUNT;) {
        struct pollfd waiting = {fd, POLLIN, 0};
        require(poll(&waiting, 1, -1) == 1 && waiting.revents == POLLIN);
        received += receive_all(fd);
    }
}

static void by_ppoll(char **arguments unused) {
    int fd = nonblocking();
    send_all(fd);
    for (int received = 0; received < COUNT;) {
        struct pollfd waiting[2] = {{-1, POLLIN, 0}, {fd, POLLIN | POLLPRI, 0}};
        require(ppoll(waiting, 2, NULL, NULL) == 1 && waiting[1].revents == POLLIN);
        received += receive_all(fd);
    }
}

static void by_select(char **arguments unused) {
    int fd = nonblocking();
    send_all(fd);
    for (int received = 0; received < COUNT;) {
        fd_set wanted;
        FD_ZERO(&wanted);
        FD_SET(fd, &wanted);
        require(select(fd + 1, &wanted, NULL, NULL, NULL) == 1 && FD_ISSET(fd, &wanted));
        received += receive_all(fd);
    }
}

static void by_pselect(char **arguments unused) {
    int fd = nonblocking();
    send_all(fd);
    for (int received = 0; received < COUNT;) {
        fd_set wanted;
        FD_ZERO(&wanted);
        FD_SET(fd, &wanted);
        struct timespec limit = {3600, 0};
        require(pselect(fd + 1, &wanted, NULL, NULL, &limit, NULL) == 1 && FD_ISSET(fd, &wanted));
        received += receive_all(fd);
    }
}

static int watch(int fd, uint32_t events) {
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = events, .data.u64 = 0x1234567890abcdef};
    require(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    return epoll;
}

static void wait_by(int epoll) {
    struct epoll_event event;
    require(epoll_wait(epoll, &event, 1, -1) == 1);
    require(event.data.u64 == 0x1234567890abcdef && event.events & EPOLLIN);
}

static void by_epoll(uint32_t events) {
    int fd = nonblocking(), epoll = watch(fd, EPOLLIN | events);
    send_all(fd);
    for (int received = 0; received < COUNT;) {
        wait_by(epoll);
        received += receive_all(fd);
        struct epoll_event event = {.events = EPOLLIN | events, .data.u64 = 0x1234567890abcdef};
        if (events & EPOLLONESHOT) require(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0);
    }
    struct epoll_event event;
    say("epoll_wait: %d\n", epoll_wait(epoll, &event, 1, 0));
}

static void by_level(char **arguments unused) { by_epoll(0); }
static void by_edge(char **arguments unused) { by_epoll(EPOLLET); }
static void by_oneshot(char **arguments unused) { by_epoll(EPOLLONESHOT); }

/* The wait reports at once that the socket is writable, as for any UDP socket. */
static void to_write(char **arguments unused) {
    int fd = nonblocking(), epoll = watch(fd, EPOLLIN | EPOLLOUT | EPOLLET);
    struct epoll_event event;
    say("before: %d\n", epoll_wait(epoll, &event, 1, 0));
    say("events %x\n", event.events);
    send_all(fd);
    struct pollfd waiting = {fd, POLLOUT, 0};
    say("poll: %d %x\n", poll(&waiting, 1, 0), waiting.revents);
    for (int received = 0; received < COUNT;) {
        require(epoll_wait(epoll, &event, 1, -1) == 1);
        received += receive_all(fd);
    }
}

static void by_nested(char **arguments unused) {
    int fd = nonblocking(), inner = watch(fd, EPOLLIN), outer = watch(inner, EPOLLIN);
    send_all(fd);
    for (int received = 0; received < COUNT;) {
        wait_by(outer);
        wait_by(inner);
        received += receive_all(fd);
    }
}

/* A poll of an epoll. */
static void by_poll_of_epoll(char **arguments unused) {
    int fd = nonblocking(), epoll = watch(fd, EPOLLIN);
    send_all(fd);
    for (int received = 0; received < COUNT;) {
        struct pollfd waiting = {epoll, POLLIN, 0};
        require(poll(&waiting, 1, -1) == 1 && waiting.revents == POLLIN);
        wait_by(epoll);
        received += receive_all(fd);
    }
}

static void by_epoll_pwait2(char **arguments unused) {
    int fd = nonblocking(), epoll = watch(fd, EPOLLIN);
    send_all(fd);
    for (int received = 0; received < COUNT;) {
        struct epoll_event event;
        struct timespec limit = {3600, 0};
        require(epoll_pwait2(epoll, &event, 1, &limit, NULL) == 1);
        received += receive_all(fd);
    }
}

/* Never waits. */
static void by_asking(char **arguments unused) {
    int fd = nonblocking();
    send_all(fd);
    for (int received = 0; received < COUNT; sched_yield()) received += receive_all(fd);
}

/* Sends without waiting, and waits for the answers. */
static void by_receiving(char **arguments unused) {
    int fd = unconnected();
    for (int number = 0; number < COUNT; number++)
        require(sendto(fd, "x", 1, MSG_DONTWAIT, &far.any, far.length) == 1);
    for (int number = 0; number < COUNT; number++) receive("recvmsg", fd, 10, 0);
}

/* With a time limit that is not reached. */
static void by_receiving_in_time(char **arguments unused) {
    int fd = unconnected();
    struct timeval limit = {3600, 0};
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    require(sendto(fd, "x", 1, MSG_DONTWAIT, &far.any, far.length) == 1);
    receive("recvmsg", fd, 10, 0);
}

/* All at once. */
static void in_batches(char **arguments unused) {
    int fd = nonblocking();
    struct iovec parts[COUNT] = {{"a", 1}, {"bc", 2}, {"", 0}, {"def", 3}, {"g", 1}};
    struct mmsghdr messages[COUNT];
    for (int index = 0; index < COUNT; index++)
        messages[index] = (struct mmsghdr){.msg_hdr = {
            .msg_name = &far.any, .msg_namelen = far.length, .msg_iov = &parts[index], .msg_iovlen = 1}};
    int sent = sendmmsg(fd, messages, COUNT, 0);
    say("sendmmsg: %d lengths", sent);
    for (int index = 0; index < COUNT; index++) say(" %u", messages[index].msg_len);
    say("\n");
    for (int received = 0; received < COUNT;) {
        wait_readable(fd);
        received += receive_all(fd);
    }
}

/* Another thread waits before there is anything to send. */
static int waited_for;

static char state_of(pid_t thread) {
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    int file = open(path, O_RDONLY);
    require(file >= 0 && read(file, text, sizeof text - 1) > 0);
    close(file);
    return strrchr(text, ')')[2];
}

static pid_t waiter;

static void *wait_in_epoll(void *epoll) {
    __atomic_store_n(&waiter, gettid(), __ATOMIC_SEQ_CST);
    for (int received = 0; received < COUNT;) {
        wait_by(*(int *)epoll);
        received += receive_all(waited_for);
    }
    return NULL;
}

static void in_another_thread(uint32_t events) {
    waited_for = nonblocking();
    int epoll = watch(waited_for, EPOLLIN | events);
    pthread_t thread;
    require(pthread_create(&thread, NULL, wait_in_epoll, &epoll) == 0);
    while (!__atomic_load_n(&waiter, __ATOMIC_SEQ_CST) || state_of(waiter) != 'S') sched_yield();
    send_all(waited_for);
    require(pthread_join(thread, NULL) == 0);
}

static void in_thread(char **arguments unused) { in_another_thread(0); }
static void in_thread_by_edge(char **arguments unused) { in_another_thread(EPOLLET); }

/* Many sockets, which begin together. */
static void crowd(char **arguments unused) {
    enum { SOCKETS = 50 };
    int sockets[SOCKETS], epoll = epoll_create1(0);
    require(epoll >= 0);
    for (int index = 0; index < SOCKETS; index++) {
        sockets[index] = nonblocking();
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = (uint32_t)index};
        require(epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[index], &event) == 0);
        require(sendto(sockets[index], &index, sizeof index, 0, &far.any, far.length) == sizeof index);
    }
    int right = 0;
    for (int received = 0; received < SOCKETS;) {
        struct epoll_event events[8];
        int count = epoll_wait(epoll, events, 8, -1);
        require(count > 0);
        for (int index = 0; index < count; index++) {
            int number = -1;
            if (recv(sockets[events[index].data.u32], &number, sizeof number, 0) < 0) continue;
            right += number == (int)events[index].data.u32;
            received++;
        }
    }
    say("%d right\n", right);
}

/* Datagrams from before shutdown(2) arrive; later ones do not. */
static void shut(int is_connected, int how) {
    int fd = nonblocking();
    address name_server = numeric("10.99.0.1", "53");
    if (is_connected) require(connect(fd, &far.any, far.length) == 0);
    const struct sockaddr *to = is_connected ? NULL : &far.any;
    socklen_t length = is_connected ? 0 : far.length;
    require(sendto(fd, "before", 6, 0, to, length) == 6);
    say("shutdown: %s\n", outcome(shutdown(fd, how)));
    for (int turn = 0; turn < 2; turn++) {
        say("sendto: %s\n", outcome(sendto(fd, "after", 5, 0, to, length)));
        if (is_connected) say("write: %s\n", outcome(write(fd, "after", 5)));
        say("a question: %s\n", outcome(sendto(fd, "x", 1, 0, &name_server.any, name_server.length)));
        if (turn == 1 || how == SHUT_RDWR) continue;
        wait_readable(fd);
        receive("recvmsg", fd, 100, 0);
    }
    say("again: %s\n", outcome(shutdown(fd, how)));
}

static void shut_for_sending(char **arguments unused) { shut(1, SHUT_WR); }
static void shut_unconnected(char **arguments unused) { shut(0, SHUT_WR); }
static void shut_for_both(char **arguments unused) { shut(1, SHUT_RDWR); }

SCENARIOS({"poll", by_poll}, {"ppoll", by_ppoll}, {"select", by_select}, {"pselect", by_pselect}, {"level", by_level},
          {"edge", by_edge}, {"oneshot", by_oneshot}, {"writable", to_write}, {"nested", by_nested},
          {"poll-of-epoll", by_poll_of_epoll}, {"epoll_pwait2", by_epoll_pwait2}, {"asking", by_asking},
          {"receiving", by_receiving}, {"in-time", by_receiving_in_time}, {"batches", in_batches},
          {"thread", in_thread}, {"thread-by-edge", in_thread_by_edge}, {"crowd", crowd},
          {"shut", shut_for_sending}, {"shut-unconnected", shut_unconnected}, {"shut-both", shut_for_both})
