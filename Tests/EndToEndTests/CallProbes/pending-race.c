/* pending-race MODE ADDRESS CONNECTIONS: four threads each make CONNECTIONS connections, wait for them in epolls
 * that all threads share, and close some of them at random times. The proxy is the main thread, which accepts,
 * answers, refuses and hangs up at random times. MODE: level, edge, once. */
#include "pending-epoll.h"

#include <stdatomic.h>

enum { THREADS = 4, SETS = 2, SLOTS = THREADS };

static unsigned mode;
static int sets[SETS];
static int connections;

/* The state of a thread's one connection. The number of the attempt is in the low half of the event data, so an
 * event identifies its attempt. */
static struct {
    /* The number of the attempt in the upper half, and the number of its events in the lower. One word, so an event
     * of a former attempt cannot be counted for the next. */
    _Atomic uint64_t told;
} slots[SLOTS];

static atomic_int established, refused, given_up, wrong, threads_left = THREADS;

static uint64_t data_of(int slot, unsigned attempt) {
    return (mark("base") & 0xffffff0000000000u) | (uint64_t)slot << 32 | attempt;
}

static void complain(const char *what, long value) {
    if (wrong++ < 5) say("%s: %lx\n", what, value);
}

/* Takes the events of an epoll, for any thread. */
static void take(int set, int timeout) {
    struct epoll_event events[3];
    int count = epoll_wait(set, events, 3, timeout);
    if (count < 0) complain("epoll_wait", errno);
    for (int index = 0; index < count; index++) {
        uint64_t data = events[index].data.u64;
        int slot = (int)(data >> 32 & 0xff);
        if (slot >= SLOTS || data != data_of(slot, (unsigned)data)) {
            complain("foreign data", (long)data);
            continue;
        }
        uint64_t told = slots[slot].told;
        unsigned now = (unsigned)(told >> 32);
        if ((unsigned)data > now) complain("data of the future", (long)data);
        /* An event of a former attempt was on its way when the socket was closed. */
        if ((unsigned)data != now) continue;
        if (events[index].events & ~(EPOLLOUT | EPOLLERR | EPOLLHUP)) complain("events", (long)events[index].events);
        while ((unsigned)(told >> 32) == now && !atomic_compare_exchange_weak(&slots[slot].told, &told, told + 1))
            continue;
    }
}

static void *connect_in_turn(void *argument) {
    int slot = (int)(intptr_t)argument;
    unsigned random = 7u * (unsigned)slot + 1;
    for (int turn = 0; turn < connections; turn++) {
        int set = sets[rand_r(&random) / 8 % SETS];
        int fd = nonblocking();
        unsigned attempt = (unsigned)(slots[slot].told >> 32) + 1;
        slots[slot].told = (uint64_t)attempt << 32;
        struct epoll_event event = {EPOLLOUT | mode, {.u64 = data_of(slot, attempt)}};
        int is_modified = rand_r(&random) / 8 % 2;
        struct epoll_event nothing = {EPOLLONESHOT, {.u64 = data_of(slot, attempt)}};
        int patience = rand_r(&random) / 8 % 4 == 0 ? rand_r(&random) / 8 % 5 : -1;
        const char *begun = connect_to_target(fd);
        if (strcmp(begun, "EINPROGRESS") != 0) complain("connect", errno);
        if (is_modified) {
            require(epoll_ctl(set, EPOLL_CTL_ADD, fd, &nothing) == 0);
            require(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) == 0);
        } else {
            require(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
        }
        while ((unsigned)slots[slot].told == 0 && patience != 0) {
            take(set, rand_r(&random) / 8 % 3);
            if (patience > 0) patience--;
        }
        if ((unsigned)slots[slot].told == 0) {
            given_up++;
            if (rand_r(&random) / 8 % 2) require(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL) == 0);
            close(fd);
            continue;
        }
        const char *error = error_of(fd);
        if (strcmp(error, "0") == 0) {
            char byte = 0;
            if (!read_all(fd, &byte, 1) || byte != 'x') complain("byte", byte);
            take(set, 0);
            if (mode && (unsigned)slots[slot].told != 1) complain("told", (long)slots[slot].told);
            established++;
        } else if (strcmp(error, "ECONNREFUSED") == 0) {
            refused++;
        } else {
            complain(error, turn);
        }
        close(fd);
    }
    threads_left--;
    return NULL;
}

/* The proxy's side: each connection has its stage. */
enum { ROOM = 64 };

static void serve(void) {
    static struct pollfd entries[ROOM + 1];
    static int answered[ROOM + 1];
    unsigned random = 99;
    int count = 1;
    entries[0] = (struct pollfd){listening, POLLIN, 0};
    while (threads_left > 0) {
        if (poll(entries, (nfds_t)count, 10) < 0) complain("poll", errno);
        for (int index = count - 1; index > 0; index--) {
            if (!entries[index].revents) continue;
            int fd = entries[index].fd, wanted = answered[index] ? 10 : 3, there = 0;
            char bytes[12];
            ssize_t peeked = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
            if (peeked < 0 && errno == EAGAIN) continue;
            int is_over = peeked <= 0;
            if (!is_over && ioctl(fd, FIONREAD, &there) == 0 && there >= wanted && answered[index] < 2) {
                require(read_all(fd, bytes, (size_t)wanted));
                int dice = rand_r(&random) / 8 % 8;
                char reply[11] = {5, dice == 0 ? 5 : 0, 0, 1, 0, 0, 0, 0, 0, 0, 'x'};
                size_t length = dice == 0 ? 10 : 11;
                if (dice == 1) is_over = 1;
                else if (!answered[index]) send(fd, "\5\0", 2, MSG_NOSIGNAL);
                else send(fd, reply, length, MSG_NOSIGNAL);
                answered[index]++;
            }
            if (!is_over) continue;
            close(fd);
            count--;
            entries[index] = entries[count];
            answered[index] = answered[count];
        }
        if (entries[0].revents && count <= ROOM) {
            entries[count] = (struct pollfd){accept_client(listening), POLLIN, 0};
            answered[count++] = 0;
        }
    }
    while (count > 1) close(entries[--count].fd);
    /* Connections that were closed before they were accepted. */
    while (poll(entries, 1, 0) == 1) close(accept_client(listening));
}

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    alarm(55);
    mode = strcmp(arguments[1], "edge") == 0 ? EPOLLET : strcmp(arguments[1], "once") == 0 ? EPOLLONESHOT : 0;
    connections = atoi(arguments[3]);
    mark("base");
    int descriptors = descriptor_count();
    pthread_t threads[THREADS];
    for (int index = 0; index < SETS; index++) sets[index] = new_epoll();
    for (int index = 0; index < THREADS; index++)
        require(pthread_create(&threads[index], NULL, connect_in_turn, (void *)(intptr_t)index) == 0);
    serve();
    for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
    for (int index = 0; index < SETS; index++) {
        say("then %s\n", waiting(sets[index], 0));
        close(sets[index]);
    }
    int all = established + refused + given_up;
    say("ended %d of %d, %s established, %s refused, %s given up, wrong %d\n", all, THREADS * connections,
        established ? "some" : "none", refused ? "some" : "none", given_up ? "some" : "none", wrong);
    say("descriptors %+d\n", descriptor_count() - descriptors);
}
