/* pending-exclusive CASE ADDRESS MODE STAGE: a registration with EPOLLEXCLUSIVE that was made before connect(2),
 * while the connection reaches STAGE. The kernel cannot modify such a registration, nor make another one exclusive.
 * MODE: level, edge. */
#include "pending-epoll.h"

static unsigned mode;
static enum stage at;
static int ep;

enum { USUAL = EPOLLIN | EPOLLOUT };

/* The kernel's state of the epoll's only registration (proc(5), /proc/PID/fdinfo). */
static void say_registration(int fd) {
    char path[64], line[256];
    int count = 0, target;
    unsigned events = 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", ep);
    FILE *file = fopen(path, "r");
    require(file);
    while (fgets(line, sizeof line, file)) count += sscanf(line, "tfd: %d events: %x", &target, &events) == 2;
    fclose(file);
    require(count == 1 && target == fd);
    say("registered for %s%s%s\n", event_names(events & USUAL), events & EPOLLET ? ", edge-triggered" : "",
        events & EPOLLEXCLUSIVE ? ", exclusive" : "");
}

/* Checks that the registration is unchanged and stays so: it can only be deleted and added again. */
static void say_exclusive(int fd) {
    say_registration(fd);
    say("add again: %s\n", control(ep, EPOLL_CTL_ADD, fd, USUAL | EPOLLEXCLUSIVE | mode, "another"));
    say("modify: %s\n", control(ep, EPOLL_CTL_MOD, fd, USUAL, "another"));
    say("modify to it: %s\n", control(ep, EPOLL_CTL_MOD, fd, USUAL | EPOLLEXCLUSIVE | mode, "another"));
    say_registration(fd);
}

/* A socket with such a registration, pending at STAGE. */
static connection begin_exclusively(void) {
    int fd = nonblocking();
    add(ep, fd, USUAL | EPOLLEXCLUSIVE | mode, "F");
    connection f = begin_with(fd, at);
    say("pending %s\n", waiting(ep, 0));
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    return f;
}

static void established(void) {
    connection f = begin_exclusively();
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_exclusive(f.fd);
    say_later(&f, ep);
    say_connected(&f, "");
}

/* The kernel's errors while pending. */
static void changed(void) {
    connection f = begin_exclusively();
    say("add again: %s\n", control(ep, EPOLL_CTL_ADD, f.fd, USUAL | EPOLLEXCLUSIVE | mode, "another"));
    say("modify: %s\n", control(ep, EPOLL_CTL_MOD, f.fd, USUAL, "another"));
    say("modify to it: %s\n", control(ep, EPOLL_CTL_MOD, f.fd, USUAL | EPOLLEXCLUSIVE | mode, "another"));
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_exclusive(f.fd);
    say_connected(&f, "");
}

/* Deleted while pending; the registration that replaces it is not exclusive. */
static void replaced(void) {
    connection f = begin_exclusively();
    delete(ep, f.fd);
    add(ep, f.fd, USUAL | mode, "another");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_registration(f.fd);
    modify(ep, f.fd, EPOLLOUT | mode, "third");
    say("modified %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* A socket with two descriptors; the kernel gives the registrations. */
static void duplicated(void) {
    int fd = nonblocking(), second = dup(fd);
    add(ep, fd, USUAL | EPOLLEXCLUSIVE | mode, "F");
    connection f = begin_with(second, at);
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_exclusive(fd);
    say_connected(&f, "");
}

/* Refused, and connected again. */
static void refused(void) {
    connection f = begin_exclusively();
    refuse(&f, 5);
    say("refused %s\n", waiting(ep, -1));
    say_exclusive(f.fd);
    say("error %s\n", error_of(f.fd));
    f = begin_again(f.fd, at);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_exclusive(f.fd);
    say_later(&f, ep);
    say_connected(&f, "");
}

/* The program gives the attempt up. */
static void dissolved(void) {
    connection f = begin_exclusively();
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    say("dissolved %s\n", outcome(connect(f.fd, &nowhere, sizeof nowhere)));
    say("registered %s\n", waiting(ep, 0));
    say_exclusive(f.fd);
}

static const pending_case cases[] = {
    {"established", established}, {"changed", changed}, {"replaced", replaced}, {"duplicated", duplicated},
    {"refused", refused}, {"dissolved", dissolved}, {0},
};

int main(int count, char **arguments) {
    require(count == 5);
    set_up(arguments);
    mode = strcmp(arguments[3], "edge") == 0 ? EPOLLET : 0;
    at = stage_named(arguments[4]);
    ep = new_epoll();
    run_case(cases, arguments[1]);
}
