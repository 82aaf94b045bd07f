/* pending-crowd CASE ADDRESS COUNT: COUNT pending connections at once, in one epoll or one call. The proxy, a
 * thread, brings all of them to each stage before it continues; it refuses every seventh. CASE: level, edge, poll,
 * select. */
#include "pending-epoll.h"

#include <sys/resource.h>

static int total;
static connection *connections;
static int *fars;

/* Brings all of them to one stage before any reaches the next. */
static void *serve_all(void *nothing) {
    for (int index = 0; index < total; index++) fars[index] = accept_client(listening);
    for (int index = 0; index < total; index++) answer_greeting(fars[index]);
    for (int index = total - 1; index >= 0; index--) answer_request(fars[index], index % 7 == 6 ? 5 : 0);
    return nothing;
}

static int established, refused, wrong;

static void note(int index, unsigned events) {
    connection *f = &connections[index];
    const char *error = error_of(f->fd);
    int is_wrong = f->stage == ESTABLISHED;
    f->stage = ESTABLISHED;
    if (strcmp(error, "0") == 0) established++, is_wrong |= events != EPOLLOUT;
    else if (strcmp(error, "ECONNREFUSED") == 0) refused++, is_wrong |= !(events & EPOLLHUP);
    else is_wrong = 1;
    if (is_wrong && wrong++ < 5) say("number %d: %s, error %s\n", index, event_names(events), error);
}

static void by_epoll(unsigned mode) {
    struct epoll_event events[64];
    int ep = new_epoll();
    for (int index = 0; index < total; index++) {
        struct epoll_event event = {EPOLLOUT | mode, {.u64 = mark("base") + (uint64_t)index}};
        require(epoll_ctl(ep, EPOLL_CTL_ADD, connections[index].fd, &event) == 0);
    }
    while (established + refused < total) {
        int count = epoll_wait(ep, events, 64, -1);
        require(count > 0);
        for (int each = 0; each < count; each++) {
            uint64_t index = events[each].data.u64 - mark("base");
            require(index < (uint64_t)total);
            note((int)index, events[each].events);
            if (!mode) delete(ep, connections[index].fd);
        }
    }
    say("then %s\n", waiting(ep, 0));
    close(ep);
}

static void by_poll(void) {
    struct pollfd *entries = calloc((size_t)total, sizeof *entries);
    for (int index = 0; index < total; index++) entries[index] = (struct pollfd){connections[index].fd, POLLOUT, 0};
    while (established + refused < total) {
        int count = poll(entries, (nfds_t)total, -1), found = 0;
        for (int index = 0; index < total; index++) {
            if (!entries[index].revents) continue;
            found++;
            note(index, (unsigned)entries[index].revents);
            entries[index].fd = -1;
        }
        if (count != found) say("poll %d, found %d\n", count, found);
    }
    say("then %d\n", poll(entries, (nfds_t)total, 0));
    free(entries);
}

static void by_select(void) {
    while (established + refused < total) {
        fd_set set;
        int last = 0, found = 0;
        FD_ZERO(&set);
        for (int index = 0; index < total; index++) {
            if (connections[index].stage == ESTABLISHED) continue;
            FD_SET(connections[index].fd, &set);
            if (connections[index].fd > last) last = connections[index].fd;
        }
        int count = select(last + 1, NULL, &set, NULL, NULL);
        for (int index = 0; index < total; index++) {
            if (connections[index].stage == ESTABLISHED || !FD_ISSET(connections[index].fd, &set)) continue;
            found++;
            struct pollfd entry = {connections[index].fd, POLLOUT, 0};
            require(poll(&entry, 1, 0) == 1);
            note(index, (unsigned)entry.revents);
        }
        if (count != found) say("select %d, found %d\n", count, found);
    }
}

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    struct rlimit limit;
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    total = atoi(arguments[3]);
    connections = calloc((size_t)total, sizeof *connections);
    fars = calloc((size_t)total, sizeof *fars);
    int descriptors = descriptor_count();
    /* Low descriptors, for select(2). */
    for (int index = 0; index < total; index++) connections[index].fd = nonblocking();
    pthread_t thread;
    require(pthread_create(&thread, NULL, serve_all, NULL) == 0);
    for (int index = 0; index < total; index++) connections[index] = begin_with(connections[index].fd, REACHED);
    if (strcmp(arguments[1], "level") == 0) by_epoll(0);
    if (strcmp(arguments[1], "edge") == 0) by_epoll(EPOLLET);
    if (strcmp(arguments[1], "poll") == 0) by_poll();
    if (strcmp(arguments[1], "select") == 0) by_select();
    pthread_join(thread, NULL);
    say("connected %d, refused %d, wrong %d\n", established, refused, wrong);
    for (int index = 0; index < total; index++) close(connections[index].fd), close(fars[index]);
    say("descriptors %+d\n", descriptor_count() - descriptors);
}
