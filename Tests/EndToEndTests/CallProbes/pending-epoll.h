/* Registrations with random data, which the output shows as names. */
#pragma once

#include "pending.h"

static struct {
    const char *name;
    uint64_t data;
} marks[64];

/* The random number for a name; all its 64 bits matter. */
unused static uint64_t mark(const char *name) {
    int index = 0;
    for (; marks[index].name; index++)
        if (strcmp(marks[index].name, name) == 0) return marks[index].data;
    marks[index].name = name;
    require(index < 63 && getrandom(&marks[index].data, sizeof(uint64_t), 0) == sizeof(uint64_t));
    return marks[index].data;
}

unused static const char *mark_name(uint64_t data) {
    for (int index = 0; marks[index].name; index++)
        if (marks[index].data == data) return marks[index].name;
    return "somebody";
}

unused static int new_epoll(void) {
    int ep = epoll_create1(EPOLL_CLOEXEC);
    require(ep >= 0);
    return ep;
}

unused static const char *control(int ep, int operation, int fd, unsigned events, const char *name) {
    struct epoll_event event = {events, {.u64 = mark(name)}};
    return outcome(epoll_ctl(ep, operation, fd, &event));
}

unused static void modify(int ep, int fd, unsigned events, const char *name) {
    const char *result = control(ep, EPOLL_CTL_MOD, fd, events, name);
    if (strcmp(result, "0") != 0) say("modify %s: %s\n", name, result);
}

unused static void delete(int ep, int fd) {
    if (epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL) != 0) say("delete: %s\n", outcome(-1));
}

/* "nothing", or "NAME: EVENTS" of each, in the order of the names. */
unused static const char *events_text(struct epoll_event *events, int count) {
    static __thread char text[4][600];
    static __thread int turn;
    char *result = text[turn++ % 4];
    if (count < 0) return strerrorname_np(errno);
    strcpy(result, count == 0 ? "nothing" : "");
    for (int done = 0; done < count; done++) {
        int first = -1;
        for (int index = 0; index < count; index++) {
            if (events[index].events == ~0u) continue;
            if (first < 0 || strcmp(mark_name(events[index].data.u64), mark_name(events[first].data.u64)) < 0)
                first = index;
        }
        unsigned bits = events[first].events;
        sprintf(result + strlen(result), "%s%s: %s", done ? ", " : "", mark_name(events[first].data.u64),
            event_names(bits));
        events[first].events = ~0u;
    }
    return result;
}

/* One call of epoll_wait(2). */
unused static const char *waiting(int ep, int timeout) {
    struct epoll_event events[8];
    return events_text(events, epoll_wait(ep, events, 8, timeout));
}

/* Continues the handshake by waiting at the epolls that take part; none may report anything. */
static int driving_epolls[4] = {-1, -1, -1, -1};

unused static void drive_by_epoll(connection *f) {
    (void)f;
    for (int index = 0; index < 4 && driving_epolls[index] >= 0; index++) {
        const char *text = waiting(driving_epolls[index], 0);
        if (strcmp(text, "nothing") != 0) say_early("%s\n", text);
    }
}

unused static void drive_with(int ep) {
    drive = drive_by_epoll;
    for (int index = 0; index < 4; index++) {
        if (driving_epolls[index] == ep) return;
        if (driving_epolls[index] >= 0) continue;
        driving_epolls[index] = ep;
        return;
    }
}

/* From now on waits at the epoll continue the handshake. */
unused static void add(int ep, int fd, unsigned events, const char *name) {
    const char *result = control(ep, EPOLL_CTL_ADD, fd, events, name);
    if (strcmp(result, "0") != 0) say("add %s: %s\n", name, result);
    drive_with(ep);
}

/* The events of a successful connection from now on, as one registration sees them. */
unused static void say_later(connection *f, int ep) {
    char byte;
    say("then %s\n", waiting(ep, 0));
    require(write(f->far, "x", 1) == 1);
    struct pollfd entry = {f->fd, POLLIN, 0};
    require(poll(&entry, 1, -1) == 1);
    say("with a byte %s\n", waiting(ep, 0));
    require(read(f->fd, &byte, 1) == 1 && byte == 'x');
    say("read %s\n", waiting(ep, 0));
}
