/* pending-dup CASE ADDRESS MODE WAY: a pending socket with several descriptors. MODE: level, edge. WAY to get
 * another: dup, dup2, dup3, F_DUPFD, passed. */
#include "pending-epoll.h"

static unsigned mode;
static const char *way;
static int ep;

enum { USUAL = EPOLLIN | EPOLLOUT };

static int another(int fd) {
    int result = -1;
    if (strcmp(way, "dup") == 0) result = dup(fd);
    if (strcmp(way, "dup2") == 0) result = dup2(fd, 200);
    if (strcmp(way, "dup3") == 0) result = dup3(fd, 201, O_CLOEXEC);
    if (strcmp(way, "F_DUPFD") == 0) result = fcntl(fd, F_DUPFD_CLOEXEC, 300);
    if (strcmp(way, "passed") == 0) result = passed(fd);
    require(result >= 0);
    return result;
}

/* Registered by the second descriptor, which exists before. */
static void before(void) {
    int fd = nonblocking(), second = another(fd);
    add(ep, second, USUAL | mode, "second");
    connection f = begin_with(fd, REACHED);
    reach(&f, GREETED);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    close(fd);
    f.fd = second;
    say_connected(&f, "");
}

/* Registered by a descriptor that is made while pending. */
static void after(void) {
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    int second = another(f.fd);
    add(ep, second, USUAL | mode, "second");
    say("pending %s\n", waiting(ep, 0));
    reach(&f, HALF);
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    close(f.fd);
    f.fd = second;
    say_connected(&f, "");
}

/* Both descriptors, in one epoll, with separate names. */
static void both(void) {
    int fd = nonblocking(), second = another(fd);
    add(ep, fd, USUAL | mode, "first");
    connection f = begin_with(fd, REACHED);
    reach(&f, REACHED);
    add(ep, second, EPOLLOUT | mode, "second");
    reach(&f, GREETED);
    modify(ep, second, USUAL | mode, "2nd");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    const char *text = waiting(ep, -1);
    /* The events may come in one call or in two. */
    if (mode && !strchr(text, ',')) say("established %s, %s\n", text, waiting(ep, -1));
    else say("established %s\n", text);
    say("then %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* The second descriptor continues when the first is closed. */
static void first_closed(void) {
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    int second = another(f.fd);
    close(f.fd);
    f.fd = second;
    add(ep, f.fd, EPOLLOUT | mode, "second");
    say("pending %s, peer %s, connect %s\n", waiting(ep, 0), peer_of(second), connect_to_target(second));
    int ends[2];
    /* The first descriptor belongs to another file now. */
    require(pipe(ends) == 0);
    struct pollfd entry = {ends[0], POLLIN, 0};
    say("pipe %d\n", poll(&entry, 1, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say("pipe %d\n", poll(&entry, 1, 0));
    say("then %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* Also if the first was registered: that registration lives as long as the socket, and cannot be changed. */
static void orphaned(void) {
    connection f = begin_pending(REACHED);
    add(ep, f.fd, EPOLLOUT | mode, "first");
    reach(&f, GREETED);
    int second = another(f.fd);
    close(f.fd);
    f.fd = second;
    say("pending %s\n", waiting(ep, 0));
    say("modify: %s\n", control(ep, EPOLL_CTL_MOD, second, EPOLLIN, "second"));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say("then %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* Every call takes any of the descriptors. */
static void called(void) {
    char byte;
    connection f = begin_pending(REACHED);
    int second = another(f.fd);
    reach(&f, GREETED);
    say("connect %s, peer %s, error %s\n", connect_to_target(second), peer_of(second), error_of(second));
    say("read %s", outcome(read(second, &byte, 1)));
    say(", write %s\n", outcome(write(second, "x", 1)));
    struct pollfd entries[2] = {{second, POLLIN | POLLOUT, 0}, {f.fd, POLLIN | POLLOUT, 0}};
    say("poll %d\n", poll(entries, 2, 0));
    establish(&f, "");
    say("poll %d", poll(entries, 2, -1));
    say(" %s %s\n", event_names(entries[0].revents), event_names(entries[1].revents));
    say("peer %s\n", strcmp(peer_of(second), text_of(&target.any)) == 0 ? "as connected to" : peer_of(second));
    close(second);
    say_connected(&f, "");
}

static const pending_case cases[] = {
    {"before", before}, {"after", after}, {"both", both}, {"first-closed", first_closed}, {"orphaned", orphaned},
    {"called", called}, {0},
};

int main(int count, char **arguments) {
    require(count == 5);
    set_up(arguments);
    mode = strcmp(arguments[3], "edge") == 0 ? EPOLLET : 0;
    way = arguments[4];
    ep = new_epoll();
    run_case(cases, arguments[1]);
}
