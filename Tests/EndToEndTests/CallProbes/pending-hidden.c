/* pending-hidden CASE ADDRESS MODE: registrations that the library has not seen. MODE: level, edge. */
#include "pending-epoll.h"
#include "raw.h"

static unsigned mode;
static int ep;
static char **own_arguments;

static void raw_control(int operation, int fd, unsigned events, const char *name) {
    struct epoll_event event = {events, {.u64 = mark(name)}};
    long result = raw(SYS_epoll_ctl, ep, operation, fd, (long)&event, 0);
    if (result != 0) say("unseen control: %s\n", strerrorname_np((int)-result));
}

static void before(void) {
    int fd = nonblocking();
    raw_control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | mode, "unseen");
    connection f = begin_with(fd, REACHED);
    drive_with(ep);
    reach(&f, GREETED);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

static void after(void) {
    connection f = begin_pending(REACHED);
    reach(&f, REACHED);
    raw_control(EPOLL_CTL_ADD, f.fd, EPOLLIN | EPOLLOUT | mode, "unseen");
    say("pending %s\n", waiting(ep, 0));
    drive_with(ep);
    reach(&f, GREETED);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

/* An unseen registration beside one that the library has seen. */
static void beside(void) {
    int second = new_epoll();
    connection f = begin_pending(REACHED);
    add(second, f.fd, EPOLLOUT | mode, "seen");
    raw_control(EPOLL_CTL_ADD, f.fd, EPOLLIN | EPOLLOUT | mode, "unseen");
    reach(&f, GREETED);
    say("pending %s, %s\n", waiting(ep, 0), waiting(second, 0));
    establish(&f, "");
    say("established %s\n", waiting(second, -1));
    say("established %s\n", waiting(ep, -1));
    say_connected(&f, "");
}

/* The library has not seen the registration, but sees the calls that change it. */
static void edited(void) {
    int fd = nonblocking();
    raw_control(EPOLL_CTL_ADD, fd, EPOLLIN | mode, "unseen");
    connection f = begin_with(fd, REACHED);
    drive_with(ep);
    reach(&f, GREETED);
    say("add: %s\n", control(ep, EPOLL_CTL_ADD, fd, EPOLLOUT, "G"));
    modify(ep, fd, EPOLLIN | EPOLLOUT | mode, "seen");
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    delete(ep, fd);
    say("deleted %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* The calls are made by number, through syscall(2). */
static void numbered(void) {
    ep = own((int)syscall(SYS_epoll_create1, EPOLL_CLOEXEC));
    connection f = begin_pending(REACHED);
    struct epoll_event event = {EPOLLOUT | mode, {.u64 = mark("F")}};
    say("add: %s\n", outcome(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, f.fd, &event)));
    say("add: %s\n", outcome(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, f.fd, &event)));
    drive_with(ep);
    reach(&f, GREETED);
    event.data.u64 = mark("G");
    say("modify: %s\n", outcome(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_MOD, f.fd, &event)));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say("delete: %s\n", outcome(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_DEL, f.fd, NULL)));
    say("deleted %s\n", waiting(ep, 0));
    say_connected(&f, "");
}

/* A program that would use io_uring(7) gets the error of a kernel without it. */
static void ring(void) {
    char parameters[256] = {0};
    say("io_uring_setup: %s\n", outcome(syscall(SYS_io_uring_setup, 8, parameters)));
}

/* The program executes itself again, with an epoll and an unconnected socket that is registered. */
static void execute(const char *again, int fd) {
    char numbers[2][12];
    int inherited = epoll_create1(0);
    uint64_t data = 0x123456789abcdef0u;
    struct epoll_event event = {EPOLLIN | EPOLLOUT | mode, {.u64 = data}};
    if (fd >= 0) require(epoll_ctl(inherited, EPOLL_CTL_ADD, fd, &event) == 0);
    require(fcntl(listening, F_SETFD, FD_CLOEXEC) == 0);
    sprintf(numbers[0], "%d", inherited);
    sprintf(numbers[1], "%d", fd);
    execl("/proc/self/exe", own_arguments[0], again, own_arguments[2], own_arguments[3], numbers[0], numbers[1], NULL);
}

static void inherited(void) { execute("inherited-again", -1); }

static void inherited_again(void) {
    ep = atoi(own_arguments[4]);
    before();
}

static void inherited_registration(void) { execute("inherited-registration-again", nonblocking()); }

static void inherited_registration_again(void) {
    ep = atoi(own_arguments[4]);
    marks[0].name = "inherited";
    marks[0].data = 0x123456789abcdef0u;
    connection f = begin_with(atoi(own_arguments[5]), REACHED);
    drive_with(ep);
    reach(&f, GREETED);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_later(&f, ep);
    say_connected(&f, "");
}

static const pending_case cases[] = {
    {"before", before}, {"after", after}, {"beside", beside}, {"edited", edited}, {"numbered", numbered},
    {"ring", ring}, {"inherited", inherited}, {"inherited-again", inherited_again},
    {"inherited-registration", inherited_registration},
    {"inherited-registration-again", inherited_registration_again}, {0},
};

int main(int count, char **arguments) {
    require(count >= 4);
    own_arguments = arguments;
    set_up(arguments);
    mode = strcmp(arguments[3], "edge") == 0 ? EPOLLET : 0;
    ep = new_epoll();
    run_case(cases, arguments[1]);
}
