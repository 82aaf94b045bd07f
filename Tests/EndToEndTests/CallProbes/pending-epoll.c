/* pending-epoll CASE ADDRESS MODE STAGE: epoll(7) registrations of one socket, made and changed when the connection
 * has reached STAGE. MODE: level, edge. */
#include "pending-epoll.h"

static unsigned mode;
static enum stage at;
static int ep;

enum { USUAL = EPOLLIN | EPOLLOUT | EPOLLRDHUP };

/* Registered before connect(2), when the socket has the events of an unconnected one; the program takes these, or
 * not. */
static void before_taken(void) {
    int fd = nonblocking();
    add(ep, fd, USUAL | mode, "F");
    say("unconnected %s\n", waiting(ep, 0));
    connection f = begin_with(fd, at);
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

static void before(void) {
    int fd = nonblocking();
    add(ep, fd, USUAL | mode, "F");
    connection f = begin_with(fd, at);
    say("pending %s\n", waiting(ep, 0));
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

static void after(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    add(ep, f.fd, USUAL | mode, "F");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

/* Registered when the handshake is over, but before the program has asked. */
static void after_establishment(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    establish(&f, "early bird");
    add(ep, f.fd, EPOLLOUT | mode, "F");
    say("established %s\n", waiting(ep, -1));
    say("then %s\n", waiting(ep, 0));
    say_connected(&f, "early bird");
}

/* Events and data are changed while pending. */
static void modified(void) {
    int fd = nonblocking();
    add(ep, fd, EPOLLIN | mode, "first");
    connection f = begin_with(fd, at);
    modify(ep, fd, EPOLLIN, "second");
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    modify(ep, fd, USUAL | mode, "third");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    modify(ep, fd, EPOLLOUT | mode, "fourth");
    say("afterwards %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* Changed to a registration for no events, which would still report a failure. */
static void modified_to_nothing(void) {
    int fd = nonblocking();
    add(ep, fd, USUAL | mode, "first");
    connection f = begin_with(fd, at);
    reach(&f, at);
    modify(ep, fd, 0, "second");
    establish(&f, "");
    struct pollfd entry = {fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say("established %s\n", waiting(ep, 0));
    modify(ep, fd, EPOLLOUT | mode, "third");
    say("modified %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

static void deleted(void) {
    int fd = nonblocking();
    add(ep, fd, USUAL | mode, "F");
    connection f = begin_with(fd, at);
    reach(&f, at);
    delete(ep, fd);
    drive = drive_by_poll;
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    struct pollfd entry = {fd, POLLOUT, 0};
    say("poll %d\n", poll(&entry, 1, -1));
    say("established %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

static void deleted_and_added(void) {
    int fd = nonblocking();
    add(ep, fd, USUAL | mode, "first");
    connection f = begin_with(fd, at);
    reach(&f, at);
    delete(ep, fd);
    say("pending %s\n", waiting(ep, 0));
    add(ep, fd, USUAL | mode, "second");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

/* The errors of epoll_ctl(2). */
static void wrong(void) {
    struct epoll_event event = {EPOLLIN, {.u64 = 1}};
    int plain[2];
    require(pipe(plain) == 0);
    connection f = begin_pending(at);
    reach(&f, at);
    say("modify: %s\n", control(ep, EPOLL_CTL_MOD, f.fd, EPOLLIN, "F"));
    say("delete: %s\n", outcome(epoll_ctl(ep, EPOLL_CTL_DEL, f.fd, NULL)));
    say("add: %s\n", control(ep, EPOLL_CTL_ADD, f.fd, USUAL | mode, "F"));
    drive_with(ep);
    say("add again: %s\n", control(ep, EPOLL_CTL_ADD, f.fd, EPOLLIN, "G"));
    say("no operation: %s\n", outcome(epoll_ctl(ep, 77, f.fd, &event)));
    say("no event: %s\n", outcome(epoll_ctl(ep, EPOLL_CTL_MOD, f.fd, NULL)));
    say("no epoll: %s\n", outcome(epoll_ctl(plain[0], EPOLL_CTL_ADD, f.fd, &event)));
    say("bad epoll: %s\n", outcome(epoll_ctl(-1, EPOLL_CTL_ADD, f.fd, &event)));
    say("bad socket: %s\n", outcome(epoll_ctl(ep, EPOLL_CTL_ADD, 9999, &event)));
    say("room for none: %s\n", outcome(epoll_wait(ep, &event, 0, 0)));
    volatile int less = -1;
    say("room for less: %s\n", outcome(epoll_wait(ep, &event, less, 0)));
    say("no room: %s\n", outcome(epoll_wait(-1, &event, 1, 0)));
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

static void one_shot(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    add(ep, f.fd, EPOLLOUT | EPOLLONESHOT | mode, "F");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    modify(ep, f.fd, EPOLLOUT | EPOLLONESHOT | mode, "F");
    say("armed %s\n", waiting(ep, 0));
    say("then %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* A one-shot registration from before, whose event an unconnected socket has not used. */
static void one_shot_before(void) {
    int fd = nonblocking();
    add(ep, fd, EPOLLOUT | EPOLLONESHOT | mode, "F");
    connection f = begin_with(fd, at);
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

/* An unconnected socket has used the event: the registration is silent until it is armed again, while pending. */
static void one_shot_armed_pending(void) {
    int fd = nonblocking();
    add(ep, fd, EPOLLOUT | EPOLLONESHOT | mode, "F");
    say("unconnected %s\n", waiting(ep, 0));
    connection f = begin_with(fd, at);
    /* A used registration need not continue the handshake. */
    drive = drive_by_poll;
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    modify(ep, fd, EPOLLOUT | EPOLLONESHOT | mode, "again");
    drive = drive_by_epoll;
    say("armed %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

/* The same, armed again when the handshake is over. */
static void one_shot_armed_late(void) {
    int fd = nonblocking();
    add(ep, fd, EPOLLOUT | EPOLLONESHOT | mode, "F");
    say("unconnected %s\n", waiting(ep, 0));
    connection f = begin_with(fd, at);
    drive = drive_by_poll;
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    struct pollfd entry = {fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say("established %s\n", waiting(ep, 0));
    modify(ep, fd, EPOLLOUT | EPOLLONESHOT | mode, "again");
    say("armed %s\n", waiting(ep, 0));
    say_later(&f, ep);
    say_connected(&f, "");
}

static void exclusive(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    say("add: %s\n", control(ep, EPOLL_CTL_ADD, f.fd, EPOLLIN | EPOLLOUT | EPOLLEXCLUSIVE | mode, "F"));
    drive_with(ep);
    say("add again: %s\n", control(ep, EPOLL_CTL_ADD, f.fd, EPOLLOUT | EPOLLEXCLUSIVE, "F"));
    say("modify: %s\n", control(ep, EPOLL_CTL_MOD, f.fd, EPOLLOUT, "F"));
    say("modify to it: %s\n", control(ep, EPOLL_CTL_MOD, f.fd, EPOLLOUT | EPOLLEXCLUSIVE, "F"));
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say("modify: %s\n", control(ep, EPOLL_CTL_MOD, f.fd, EPOLLOUT, "F"));
    delete(ep, f.fd);
    say("deleted %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* EPOLLEXCLUSIVE and EPOLLONESHOT exclude each other. */
static void exclusive_once(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    say("add: %s\n", control(ep, EPOLL_CTL_ADD, f.fd, EPOLLIN | EPOLLONESHOT | EPOLLEXCLUSIVE | mode, "F"));
    add(ep, f.fd, EPOLLOUT | mode, "F");
    say("modify to it: %s\n", control(ep, EPOLL_CTL_MOD, f.fd, EPOLLOUT | EPOLLEXCLUSIVE, "F"));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_connected(&f, "");
}

/* The registration asks only for input: the first event is the byte. */
static void reading_only(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    add(ep, f.fd, EPOLLIN | EPOLLRDHUP | mode, "F");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    struct pollfd entry = {f.fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say("established %s\n", waiting(ep, 0));
    require(write(f.far, "x", 1) == 1);
    say("with a byte %s\n", waiting(ep, -1));
    say_connected(&f, "x");
}

/* The far side hangs up after the connection is established. */
static void hanging_up(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    add(ep, f.fd, EPOLLRDHUP | mode, "F");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "x");
    require(shutdown(f.far, SHUT_WR) == 0);
    say("established %s\n", waiting(ep, -1));
    char bytes[2];
    ssize_t length = read(f.fd, bytes, 2);
    say("read %zd %c\n", length, bytes[0]);
    say("read %zd\n", read(f.fd, bytes, 2));
}

/* Several epolls watch one socket: each reports it. */
static void several_sets(void) {
    int second = new_epoll(), third = new_epoll(), fd = nonblocking();
    add(ep, fd, USUAL | mode, "first");
    connection f = begin_with(fd, at);
    add(second, fd, EPOLLOUT | mode, "second");
    reach(&f, at);
    add(third, fd, EPOLLOUT | EPOLLONESHOT | mode, "third");
    say("pending %s, %s, %s\n", waiting(ep, 0), waiting(second, 0), waiting(third, 0));
    establish(&f, "");
    say("established %s\n", waiting(third, -1));
    say("established %s\n", waiting(second, -1));
    say("established %s\n", waiting(ep, -1));
    const char *texts[3] = {waiting(ep, 0), waiting(second, 0), waiting(third, 0)};
    say("then %s, %s, %s\n", texts[0], texts[1], texts[2]);
    say_connected(&f, "");
}

/* Closing an epoll affects neither the socket nor another epoll. */
static void set_closed(void) {
    int second = new_epoll(), fd = nonblocking();
    add(ep, fd, USUAL | mode, "first");
    add(second, fd, USUAL | mode, "second");
    connection f = begin_with(fd, at);
    reach(&f, at);
    close(second);
    driving_epolls[1] = -1;
    int pipes[2];
    /* Probably the epoll's descriptor. */
    require(pipe(pipes) == 0);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

/* The last epoll is closed, and the program continues by poll(2). */
static void only_set_closed(void) {
    connection f = begin_pending(at);
    add(ep, f.fd, USUAL | mode, "F");
    reach(&f, at);
    close(ep);
    drive = drive_by_poll;
    establish(&f, "");
    struct pollfd entry = {f.fd, POLLOUT, 0};
    int count = poll(&entry, 1, -1);
    say("poll %d %s\n", count, event_names(entry.revents));
    int another = new_epoll();
    add(another, f.fd, USUAL | mode, "F");
    say("another %s\n", waiting(another, 0));
    say_connected(&f, "");
}

/* Again and again a new epoll gets the descriptor of a closed one. */
static void set_reused(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    for (int turn = 0; turn < 3; turn++) {
        add(ep, f.fd, USUAL | mode, "former");
        say("pending %s\n", waiting(ep, 0));
        close(ep);
        int new = new_epoll();
        if (new != ep) require(dup2(new, ep) == ep && close(new) == 0);
    }
    say("modify: %s\n", control(ep, EPOLL_CTL_MOD, f.fd, EPOLLIN, "F"));
    add(ep, f.fd, USUAL | mode, "F");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

/* The epoll has two descriptors. */
static void duplicated_set(void) {
    connection f = begin_pending(at);
    int second = dup(ep);
    add(second, f.fd, USUAL | mode, "F");
    reach(&f, at);
    say("add again: %s\n", control(ep, EPOLL_CTL_ADD, f.fd, EPOLLOUT, "F"));
    modify(ep, f.fd, EPOLLOUT | mode, "G");
    say("pending %s\n", waiting(second, 0));
    close(ep);
    establish(&f, "");
    say("established %s\n", waiting(second, -1));
    say("then %s\n", waiting(second, 0));
    say_connected(&f, "");
}

/* A refusal is reported in every mode, and the error once. */
static void refused(void) {
    int fd = nonblocking();
    add(ep, fd, USUAL | mode, "F");
    connection f = begin_with(fd, at);
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    refuse(&f, 5);
    say("refused %s\n", waiting(ep, -1));
    say("error %s\n", error_of(fd));
    say("error %s\n", error_of(fd));
}

/* It is reported also to a registration for reading or for no events. */
static void refused_reading(void) {
    int fd = nonblocking(), second = new_epoll();
    connection f = begin_with(fd, at);
    reach(&f, at);
    add(ep, fd, EPOLLIN | mode, "reading");
    add(second, fd, mode, "nothing asked");
    refuse(&f, 5);
    say("refused %s\n", waiting(ep, -1));
    say("refused %s\n", waiting(second, -1));
    say("error %s\n", error_of(fd));
}

/* A refused socket connects again, with the same registration. */
static void refused_and_again(void) {
    int fd = nonblocking();
    add(ep, fd, USUAL | mode, "F");
    connection f = begin_with(fd, at);
    reach(&f, at);
    refuse(&f, 5);
    say("refused %s\n", waiting(ep, -1));
    say("error %s\n", error_of(fd));
    f = begin_again(fd, at);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

static const pending_case cases[] = {
    {"before", before}, {"before-taken", before_taken}, {"after", after}, {"after-establishment", after_establishment},
    {"modified", modified}, {"modified-to-nothing", modified_to_nothing}, {"deleted", deleted},
    {"deleted-and-added", deleted_and_added}, {"wrong", wrong}, {"one-shot", one_shot},
    {"one-shot-before", one_shot_before}, {"one-shot-armed-pending", one_shot_armed_pending},
    {"one-shot-armed-late", one_shot_armed_late}, {"exclusive", exclusive}, {"exclusive-once", exclusive_once},
    {"reading-only", reading_only}, {"hanging-up", hanging_up}, {"several-sets", several_sets},
    {"set-closed", set_closed}, {"only-set-closed", only_set_closed}, {"set-reused", set_reused},
    {"duplicated-set", duplicated_set},
    {"refused", refused}, {"refused-reading", refused_reading}, {"refused-and-again", refused_and_again}, {0},
};

int main(int count, char **arguments) {
    require(count == 5);
    set_up(arguments);
    mode = strcmp(arguments[3], "edge") == 0 ? EPOLLET : 0;
    at = stage_named(arguments[4]);
    ep = new_epoll();
    run_case(cases, arguments[1]);
}
