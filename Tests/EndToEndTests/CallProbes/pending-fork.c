/* pending-fork CASE ADDRESS STAGE: a process that forks with a pending socket. */
#include "pending-epoll.h"
#include "raw.h"

static enum stage at;
static int ep;

static pid_t child_that(void (*body)(connection *), connection *f) {
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        alarm(50);
        main_thread = gettid();
        body(f);
        _exit(0);
    }
    return child;
}

static void await_child(pid_t child) {
    int status;
    /* A raw call, which the library does not see: its own wait would continue the pending handshakes. */
    require(raw(SYS_wait4, child, (long)&status, 0, 0, 0) == child);
    if (status != 0) say("the child ended with %d\n", status);
}

static void close_it(connection *f) { close(f->fd); }

static void do_nothing(connection *f) { (void)f; }

static void ask(connection *f) {
    struct pollfd entry = {f->fd, POLLIN | POLLOUT, 0};
    say("child: poll %d, peer %s, error %s\n", poll(&entry, 1, 0), peer_of(f->fd), error_of(f->fd));
}

static void execute(connection *f) {
    (void)f;
    execl("/bin/true", "true", NULL);
    _exit(1);
}

static void establish_it(connection *f) {
    establish(f, "");
    struct pollfd entry = {f->fd, POLLOUT, 0};
    say("child: poll %d", poll(&entry, 1, -1));
    say(" %s\n", event_names(entry.revents));
    say_connected(f, "");
}

/* A child makes a minor call, and the parent completes the handshake. */
static void parent_goes_on(void (*child)(connection *)) {
    connection f = begin_pending(REACHED);
    reach(&f, at);
    await_child(child_that(child, &f));
    establish(&f, "");
    struct pollfd entry = {f.fd, POLLOUT, 0};
    say("poll %d", poll(&entry, 1, -1));
    say(" %s\n", event_names(entry.revents));
    say_connected(&f, "");
}

static void child_closes(void) { parent_goes_on(close_it); }
static void child_exits(void) { parent_goes_on(do_nothing); }
static void child_asks(void) { parent_goes_on(ask); }
static void child_executes(void) { parent_goes_on(execute); }

/* The same with a registration, which the processes share. */
static void with_registration(void) {
    connection f = begin_pending(REACHED);
    add(ep, f.fd, EPOLLOUT | EPOLLET, "F");
    reach(&f, at);
    await_child(child_that(close_it, &f));
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say("then %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* The child completes the handshake after the parent has closed the socket. */
static void child_goes_on(void) {
    int ready[2];
    require(pipe(ready) == 0);
    connection f = begin_pending(REACHED);
    reach(&f, at);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        alarm(50);
        require(read(ready[0], &byte, 1) == 1);
        establish_it(&f);
        _exit(0);
    }
    close(f.fd);
    require(write(ready[1], "x", 1) == 1);
    await_child(child);
}

/* The parent has ended. */
static void parent_exits(void) {
    int ready[2], over[2];
    require(pipe(ready) == 0 && pipe(over) == 0);
    pid_t middle = fork();
    if (middle == 0) {
        alarm(50);
        main_thread = gettid();
        connection f = begin_pending(REACHED);
        reach(&f, at);
        if (fork() != 0) _exit(0);
        alarm(50);
        char byte;
        close(over[0]), close(ready[1]);
        require(read(ready[0], &byte, 1) == 1);
        establish_it(&f);
        _exit(0);
    }
    await_child(middle);
    close(over[1]);
    require(write(ready[1], "x", 1) == 1);
    char byte;
    require(read(over[0], &byte, 1) == 0);
}

/* Parent and child each have a pending connection of their own, from after the fork. */
static void each_its_own(void) {
    connection f = begin_pending(REACHED);
    reach(&f, at);
    pid_t child = fork();
    if (child == 0) {
        alarm(50);
        close(f.fd);
        if (native) empty_queue();
        connection own = begin_pending(REACHED);
        establish_it(&own);
        _exit(0);
    }
    await_child(child);
    if (native) empty_queue();
    establish(&f, "");
    struct pollfd entry = {f.fd, POLLOUT, 0};
    say("poll %d\n", poll(&entry, 1, -1));
    say_connected(&f, "");
}

static const pending_case cases[] = {
    {"child-closes", child_closes}, {"child-exits", child_exits}, {"child-asks", child_asks},
    {"child-executes", child_executes}, {"with-registration", with_registration}, {"child-goes-on", child_goes_on},
    {"parent-exits", parent_exits}, {"each-its-own", each_its_own}, {0},
};

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    at = stage_named(arguments[3]);
    ep = new_epoll();
    run_case(cases, arguments[1]);
}
