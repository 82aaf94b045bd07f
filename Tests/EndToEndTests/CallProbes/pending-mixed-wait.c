/* pending-mixed-wait CASE ADDRESS: waits for pending sockets together, with other descriptors, in epolls within
 * epolls, and by several threads. */
#include "pending-epoll.h"

#include <stdatomic.h>

static int pipes[2];
static int ep;

static void write_to_pipe(void) { require(write(pipes[1], "x", 1) == 1); }

static void *write_when_asleep(void *nothing) {
    await_sleep(main_thread);
    write_to_pipe();
    return nothing;
}

static pthread_t in_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    require(pthread_create(&thread, NULL, body, argument) == 0);
    return thread;
}

/* A pipe becomes ready and ends the call while the socket is still pending; then both are ready. */
static void poll_with_pipe(void) {
    connection f = begin_pending(REACHED);
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        reach(&f, stage);
        struct pollfd entries[3] = {{f.fd, POLLIN | POLLOUT, 7}, {-1, POLLIN, 7}, {pipes[0], POLLIN, 7}};
        pthread_t thread = in_thread(write_when_asleep, NULL);
        int count = poll(entries, 3, -1);
        pthread_join(thread, NULL);
        say("%s: %d: %s, ", stage_names[stage], count, event_names(entries[0].revents));
        say("%s, %s\n", event_names(entries[1].revents), event_names(entries[2].revents));
        char byte;
        require(read(pipes[0], &byte, 1) == 1);
    }
    write_to_pipe();
    establish(&f, "");
    struct pollfd entries[2] = {{f.fd, POLLOUT, 0}, {pipes[0], POLLIN, 0}};
    /* The pipe is ready, so every call returns at once; the handshake continues nevertheless. */
    while (poll(entries, 2, -1) == 1) continue;
    say("established: %s, %s\n", event_names(entries[0].revents), event_names(entries[1].revents));
    say_connected(&f, "");
}

static const char *sets_text(int count, fd_set *sets, int fd) {
    static char text[2][80];
    static int turn;
    char *result = text[turn++ % 2];
    sprintf(result, "%d:%s%s%s", count, FD_ISSET(fd, &sets[0]) ? " read" : "", FD_ISSET(fd, &sets[1]) ? " write" : "",
        FD_ISSET(fd, &sets[2]) ? " except" : "");
    return result;
}

static void fill_sets(fd_set *sets, int fd) {
    for (int index = 0; index < 3; index++) {
        FD_ZERO(&sets[index]);
        FD_SET(fd, &sets[index]);
    }
}

static void select_with_pipe(void) {
    fd_set sets[3];
    connection f = begin_pending(REACHED);
    int limit = 1 + (f.fd > pipes[1] ? f.fd : pipes[1]);
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        reach(&f, stage);
        fill_sets(sets, f.fd);
        FD_SET(pipes[0], &sets[0]);
        pthread_t thread = in_thread(write_when_asleep, NULL);
        int count = select(limit, &sets[0], &sets[1], &sets[2], NULL);
        pthread_join(thread, NULL);
        say("%s: %s, pipe %s\n", stage_names[stage], sets_text(count, sets, f.fd), sets_text(count, sets, pipes[0]));
        char byte;
        require(read(pipes[0], &byte, 1) == 1);
    }
    write_to_pipe();
    establish(&f, "");
    int count;
    do {
        fill_sets(sets, f.fd);
        FD_SET(pipes[0], &sets[0]);
        count = select(limit, &sets[0], &sets[1], &sets[2], NULL);
    } while (count == 1);
    say("established: %s, pipe %s\n", sets_text(count, sets, f.fd), sets_text(count, sets, pipes[0]));
    say_connected(&f, "");
}

static void epoll_with_pipe(void) {
    add(ep, pipes[0], EPOLLIN, "pipe");
    connection f = begin_pending(REACHED);
    add(ep, f.fd, EPOLLIN | EPOLLOUT, "F");
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        reach(&f, stage);
        pthread_t thread = in_thread(write_when_asleep, NULL);
        const char *text = waiting(ep, -1);
        pthread_join(thread, NULL);
        say("%s: %s\n", stage_names[stage], text);
        char byte;
        require(read(pipes[0], &byte, 1) == 1);
    }
    establish(&f, "");
    write_to_pipe();
    const char *text = "";
    while (!strchr(text, ',')) text = waiting(ep, -1);
    say("established: %s\n", text);
    say_connected(&f, "");
}

/* A socket that is in the array twice, beside a closed descriptor. */
static void poll_twice(void) {
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    struct pollfd entries[4] = {
        {f.fd, POLLOUT, 7}, {-5, POLLIN, 7}, {f.fd, POLLIN | POLLOUT | POLLWRNORM, 7}, {9999, POLLIN, 7}};
    int count = poll(entries, 4, -1);
    say("%d: %s, %s, ", count, event_names(entries[0].revents), event_names(entries[1].revents));
    say("%s, %s\n", event_names(entries[2].revents), event_names(entries[3].revents));
    pilot p = {.f = &f};
    board(&p);
    count = poll(entries, 3, -1);
    say("%d: %s, ", count, event_names(entries[0].revents));
    say("%s, %s\n", event_names(entries[1].revents), event_names(entries[2].revents));
    leave(&p);
    say_connected(&f, "");
}

/* Two pending connections: one is established, then the other. */
static void one_of_two(void) {
    fd_set sets[3];
    connection f = begin_pending(REACHED);
    /* One after the other, so each far side belongs to a known socket. */
    reach(&f, REACHED);
    connection g = begin_pending(REACHED);
    reach(&g, REACHED);
    add(ep, f.fd, EPOLLOUT, "F");
    add(ep, g.fd, EPOLLOUT, "G");
    reach(&g, GREETED);
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    struct pollfd entries[2] = {{g.fd, POLLIN | POLLOUT, 0}, {f.fd, POLLIN | POLLOUT, 0}};
    int count = poll(entries, 2, -1);
    say("poll %d: %s, %s\n", count, event_names(entries[0].revents), event_names(entries[1].revents));
    fill_sets(sets, f.fd);
    for (int index = 0; index < 3; index++) FD_SET(g.fd, &sets[index]);
    count = select(1 + (f.fd > g.fd ? f.fd : g.fd), &sets[0], &sets[1], &sets[2], NULL);
    say("select %s, %s\n", sets_text(count, sets, g.fd), sets_text(count, sets, f.fd));
    delete(ep, f.fd);
    say_connected(&f, "");
    establish(&g, "");
    say("established %s\n", waiting(ep, -1));
    say_connected(&g, "");
}

/* Closed descriptors and invalid arguments. */
static void wrong(void) {
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(f.fd, &set);
    FD_SET(60, &set);
    say("select: %s\n", outcome(select(61, &set, NULL, NULL, NULL)));
    say("left: %d %d\n", !!FD_ISSET(f.fd, &set), !!FD_ISSET(60, &set));
    say("sleep: %d, ", poll(NULL, 0, 1));
    say("%d\n", select(0, NULL, NULL, NULL, &(struct timeval){0, 1000}));
    volatile int negative = -1;
    say("select of less: %s\n", outcome(select(negative, &set, NULL, NULL, NULL)));
    struct timeval odd = {0, -1};
    say("select for less: %s\n", outcome(select(f.fd + 1, &set, NULL, NULL, &odd)));
    struct timespec odd_spec = {0, 1000000000};
    struct pollfd entry = {f.fd, POLLOUT, 0};
    say("ppoll for too much: %s\n", outcome(ppoll(&entry, 1, &odd_spec, NULL)));
    say("poll of too many: %s\n", outcome(syscall(SYS_poll, &entry, 0x7fffffff, 0)));
    establish(&f, "");
    say("established: %s\n", outcome(poll(&entry, 1, -1)));
    say_connected(&f, "");
}

/* Invalid addresses. */
static void unreadable(void) {
    struct pollfd entry = {-1, POLLOUT, 0};
    void *volatile nowhere = (void *)8;
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    entry.fd = f.fd;
    say("poll: %s\n", outcome(poll(nowhere, 1, 0)));
    say("select: %s\n", outcome(select(f.fd + 1, nowhere, NULL, NULL, NULL)));
    say("epoll_ctl: %s\n", outcome(epoll_ctl(ep, EPOLL_CTL_ADD, f.fd, nowhere)));
    add(ep, pipes[1], EPOLLOUT, "pipe");
    say("epoll_wait: %s\n", outcome(epoll_wait(ep, nowhere, 1, 0)));
    drive = drive_by_poll;
    establish(&f, "");
    say("established: %s\n", outcome(poll(&entry, 1, -1)));
    say_connected(&f, "");
}

/* select(2) writes the remaining time; pselect(2) and ppoll(2) leave their time unchanged. */
static void time_left(void) {
    fd_set set;
    connection f = begin_pending(REACHED);
    FD_ZERO(&set);
    FD_SET(f.fd, &set);
    struct timeval value = {0, 20000};
    int count = select(f.fd + 1, NULL, &set, NULL, &value);
    say("select %d, left %ld.%06ld, %d\n", count, (long)value.tv_sec, (long)value.tv_usec, !!FD_ISSET(f.fd, &set));
    struct timespec spec = {0, 20000000};
    FD_SET(f.fd, &set);
    count = pselect(f.fd + 1, NULL, &set, NULL, &spec, NULL);
    say("pselect %d, time %ld.%09ld\n", count, (long)spec.tv_sec, spec.tv_nsec);
    struct pollfd entry = {f.fd, POLLOUT, 0};
    count = ppoll(&entry, 1, &spec, NULL);
    say("ppoll %d, time %ld.%09ld\n", count, (long)spec.tv_sec, spec.tv_nsec);
    pilot p = {.f = &f};
    board(&p);
    FD_ZERO(&set);
    FD_SET(f.fd, &set);
    value = (struct timeval){600, 0};
    count = select(f.fd + 1, NULL, &set, NULL, &value);
    leave(&p);
    int is_less = value.tv_sec < 600 && value.tv_sec > 500;
    say("established: select %d, left %s\n", count, is_less ? "some" : "something else");
    say_connected(&f, "");
}

/* An epoll in an epoll: the outer one may wake without an event, but the inner one reports the outcome. */
static void nested(void) {
    int outer = new_epoll();
    add(outer, ep, EPOLLIN, "inner");
    connection f = begin_pending(REACHED);
    add(ep, f.fd, EPOLLOUT, "F");
    pilot p = {.f = &f};
    board(&p);
    const char *text = "nothing";
    while (strcmp(text, "nothing") == 0) {
        const char *woken = waiting(outer, -1);
        if (strcmp(woken, "inner: IN") != 0) say("outer %s\n", woken);
        text = waiting(ep, 0);
    }
    say("inner %s\n", text);
    leave(&p);
    say_connected(&f, "");
}

static void nested_polled(void) {
    connection f = begin_pending(REACHED);
    add(ep, f.fd, EPOLLOUT, "F");
    pilot p = {.f = &f};
    board(&p);
    const char *text = "nothing";
    while (strcmp(text, "nothing") == 0) {
        struct pollfd entry = {ep, POLLIN, 0};
        int count = poll(&entry, 1, -1);
        if (count != 1 || entry.revents != POLLIN) say("outer %d %s\n", count, event_names(entry.revents));
        text = waiting(ep, 0);
    }
    say("inner %s\n", text);
    leave(&p);
    say_connected(&f, "");
}

static void nested_selected(void) {
    connection f = begin_pending(REACHED);
    add(ep, f.fd, EPOLLOUT, "F");
    pilot p = {.f = &f};
    board(&p);
    const char *text = "nothing";
    while (strcmp(text, "nothing") == 0) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(ep, &set);
        int count = select(ep + 1, &set, NULL, NULL, NULL);
        if (count != 1) say("outer %d\n", count);
        text = waiting(ep, 0);
    }
    say("inner %s\n", text);
    leave(&p);
    say_connected(&f, "");
}

/* A thread that sleeps in epoll_wait(2), and prints the events. */
typedef struct {
    int ep;
    atomic_int tid;
    atomic_int completions;
    char text[200];
} sleeper;

static void *sleep_in_epoll(void *argument) {
    sleeper *s = argument;
    s->tid = gettid();
    snprintf(s->text, sizeof s->text, "%s", waiting(s->ep, -1));
    return NULL;
}

static void await_start(sleeper *s) {
    while (!s->tid) doze(100);
    await_sleep(s->tid);
}

/* The registration and the connection are made after another thread has gone to sleep. */
static void registered_late(unsigned mode, int registers_first) {
    sleeper s = {.ep = ep};
    pthread_t thread = in_thread(sleep_in_epoll, &s);
    await_start(&s);
    int fd = nonblocking();
    connection f;
    if (registers_first) {
        /* Not for output: the epoll would report an unconnected socket. */
        struct epoll_event event = {EPOLLONESHOT | mode, {.u64 = mark("F")}};
        add(ep, pipes[0], EPOLLIN, "pipe");
        f = begin_with(fd, REACHED);
        require(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0);
        modify(ep, fd, EPOLLOUT | mode, "F");
    } else {
        f = begin_with(fd, REACHED);
        add(ep, fd, EPOLLOUT | mode, "F");
    }
    /* From here on only the sleeping thread continues the handshake. */
    drive = NULL;
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        await_sleep(s.tid);
        reach(&f, stage);
    }
    await_sleep(s.tid);
    establish(&f, "");
    pthread_join(thread, NULL);
    say("the sleeper: %s\n", s.text);
    say("then %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

static void late_level(void) { registered_late(0, 0); }
static void late_edge(void) { registered_late(EPOLLET, 0); }
static void late_modified(void) { registered_late(0, 1); }

static void *sleep_until_pipe(void *argument) {
    sleeper *s = argument;
    struct epoll_event events[8];
    s->tid = gettid();
    for (int is_over = 0; !is_over;) {
        int count = epoll_wait(s->ep, events, 1, -1);
        if (count == 1 && events[0].data.u64 == mark("pipe")) {
            is_over = 1;
            count = epoll_wait(s->ep, events, 8, 0);
        }
        for (int index = 0; index < count; index++) {
            if (events[index].data.u64 == mark("pipe")) continue;
            if (events[index].data.u64 != mark("F") || events[index].events != EPOLLOUT) say("a wrong event\n");
            s->completions++;
        }
    }
    return NULL;
}

/* Several threads at one epoll: one of them gets the outcome. */
static void shared(unsigned mode) {
    sleeper s[3] = {{.ep = ep}, {.ep = ep}, {.ep = ep}};
    pthread_t threads[3];
    add(ep, pipes[0], EPOLLIN, "pipe");
    mark("F");
    for (int index = 0; index < 3; index++) threads[index] = in_thread(sleep_until_pipe, &s[index]);
    for (int index = 0; index < 3; index++) await_start(&s[index]);
    connection f = begin_pending(REACHED);
    add(ep, f.fd, EPOLLOUT | mode, "F");
    drive = NULL;
    establish(&f, "");
    while (s[0].completions + s[1].completions + s[2].completions == 0) doze(100);
    for (int index = 0; index < 3; index++) await_sleep(s[index].tid);
    write_to_pipe();
    for (int index = 0; index < 3; index++) pthread_join(threads[index], NULL);
    say("told %d\n", s[0].completions + s[1].completions + s[2].completions);
    say_connected(&f, "");
}

static void shared_edge(void) { shared(EPOLLET); }
static void shared_once(void) { shared(EPOLLONESHOT); }

/* Three threads wait for one socket, each by a call of its own: all get the outcome. */
typedef struct {
    sleeper s;
    int fd;
    int call;
} differing;

static void *wait_differently(void *argument) {
    differing *d = argument;
    d->s.tid = gettid();
    if (d->call == 0) {
        struct pollfd entry = {d->fd, POLLOUT, 0};
        int count = poll(&entry, 1, -1);
        snprintf(d->s.text, sizeof d->s.text, "poll %d %s", count, event_names(entry.revents));
    } else if (d->call == 1) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(d->fd, &set);
        snprintf(d->s.text, sizeof d->s.text, "select %d", select(d->fd + 1, NULL, &set, NULL, NULL));
    } else {
        snprintf(d->s.text, sizeof d->s.text, "epoll %s", waiting(ep, -1));
    }
    return NULL;
}

static void different_calls(void) {
    differing all[3] = {0};
    pthread_t threads[3];
    connection f = begin_pending(REACHED);
    add(ep, f.fd, EPOLLOUT | EPOLLET, "F");
    drive = NULL;
    for (int index = 0; index < 3; index++) {
        all[index].fd = f.fd;
        all[index].call = index;
        threads[index] = in_thread(wait_differently, &all[index]);
        await_start(&all[index].s);
    }
    for (int stage = REACHED; stage <= ESTABLISHED; stage++) {
        for (int index = 0; index < 3; index++) await_sleep(all[index].s.tid);
        if (stage < ESTABLISHED) reach(&f, stage);
        else establish(&f, "");
    }
    for (int index = 0; index < 3; index++) {
        pthread_join(threads[index], NULL);
        say("%s\n", all[index].s.text);
    }
    say_connected(&f, "");
}

/* Room for one event, and many pending connections: the program gets the events of all of them, and of the pipe. */
static void narrow(void) {
    enum { COUNT = 50 };
    static connection connections[COUNT];
    int established = 0, pipe_events = 0;
    struct epoll_event event;
    write_to_pipe();
    add(ep, pipes[0], EPOLLIN, "pipe");
    for (int index = 0; index < COUNT; index++) {
        connections[index] = begin_pending(REACHED);
        event = (struct epoll_event){EPOLLOUT, {.u64 = mark("F") + (uint64_t)index}};
        require(epoll_ctl(ep, EPOLL_CTL_ADD, connections[index].fd, &event) == 0);
    }
    drive = NULL;
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        for (int call = 0; call < 200; call++) {
            int count = epoll_wait(ep, &event, 1, -1);
            if (count == 1 && event.data.u64 == mark("pipe")) pipe_events++;
        }
        for (int index = 0; index < COUNT; index++) {
            /* The far sides come in another order than the sockets; here they are interchangeable. */
            while (!native && stage > REACHED) {
                int there = 0;
                require(ioctl(connections[index].far, FIONREAD, &there) == 0);
                if (there >= (stage == GREETED ? 3 : 10)) break;
                require(epoll_wait(ep, &event, 1, -1) == 1);
                if (event.data.u64 != mark("pipe")) say_early("an event\n");
            }
            reach(&connections[index], stage);
        }
    }
    say("pending: pipe %d of %d\n", pipe_events, 3 * 200);
    pipe_events = 0;
    for (int index = 0; index < COUNT; index++) establish(&connections[index], "");
    while (established < COUNT) {
        require(epoll_wait(ep, &event, 1, -1) == 1);
        if (event.data.u64 == mark("pipe")) {
            pipe_events++;
            continue;
        }
        uint64_t index = event.data.u64 - mark("F");
        require(index < COUNT && event.events == EPOLLOUT);
        delete(ep, connections[index].fd);
        require(strcmp(error_of(connections[index].fd), "0") == 0);
        established++;
    }
    say("established: %d, pipe %s\n", established, pipe_events ? "told" : "starved");
    say("then %s\n", waiting(ep, 0));
}

static const pending_case cases[] = {
    {"poll-with-pipe", poll_with_pipe}, {"select-with-pipe", select_with_pipe}, {"epoll-with-pipe", epoll_with_pipe},
    {"poll-twice", poll_twice}, {"wrong", wrong}, {"one-of-two", one_of_two}, {"unreadable", unreadable},
    {"time-left", time_left}, {"nested", nested}, {"nested-polled", nested_polled},
    {"nested-selected", nested_selected}, {"late-level", late_level}, {"late-edge", late_edge},
    {"late-modified", late_modified}, {"shared-edge", shared_edge}, {"shared-once", shared_once},
    {"different-calls", different_calls}, {"narrow", narrow}, {0},
};

int main(int count, char **arguments) {
    require(count == 3);
    set_up(arguments);
    require(pipe(pipes) == 0);
    ep = new_epoll();
    run_case(cases, arguments[1]);
}
