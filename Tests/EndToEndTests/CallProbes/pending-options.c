/* pending-options CASE ADDRESS OPTION: an option that would delay a handshake, and that the program sets for its own
 * data: lowat (SO_RCVLOWAT) or cork (TCP_CORK). */
#include "pending-epoll.h"
#include "raw.h"

static const struct option {
    const char *text;
    int level, name, value, other, plain;
} options[] = {{"lowat", SOL_SOCKET, SO_RCVLOWAT, 100, 3, 1}, {"cork", IPPROTO_TCP, TCP_CORK, 1, 1, 0}};

static const struct option *given;

static int value_of(int fd) {
    int value = -1;
    require(getsockopt(fd, given->level, given->name, &value, &(socklen_t){sizeof value}) == 0);
    return value;
}

static void set(int fd, int value) {
    require(setsockopt(fd, given->level, given->name, &value, sizeof value) == 0);
}

/* The kernel's value. During the handshake it delays nothing. */
static int kernels(int fd) {
    int value = -1;
    require(raw(SYS_getsockopt, fd, given->level, given->name, (long)&value, (long)&(socklen_t){sizeof value}) == 0);
    return value;
}

static int with_option(int flags) {
    int fd = socket(target.any.sa_family, SOCK_STREAM | flags, 0);
    require(fd >= 0);
    set(fd, given->value);
    return fd;
}

static void say_pending(int fd) {
    say("pending %d\n", value_of(fd));
    require(native || kernels(fd) == given->plain);
}

/* The connection is established, and the option has the program's value, also in the kernel. */
static void establish_and_say(connection *f) {
    establish(f, "");
    struct pollfd entry = {f->fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say("established %d %d\n", value_of(f->fd), kernels(f->fd));
    set(f->fd, given->plain);
    say_connected(f, "");
}

static void established(void) {
    connection f = begin_with(with_option(SOCK_NONBLOCK), REACHED);
    say_pending(f.fd);
    for (enum stage stage = REACHED; stage < ESTABLISHED; stage++) {
        reach(&f, stage);
        drive(&f);
        say_pending(f.fd);
    }
    establish_and_say(&f);
}

/* The option belongs to the socket, whichever descriptor sets it. */
static void by_another_number(void) {
    int fd = nonblocking(), copy = dup(fd);
    set(copy, given->value);
    connection f = begin_with(fd, REACHED);
    say_pending(fd);
    establish_and_say(&f);
}

/* The program that was executed before has set it. */
static void inherited(void) {
    connection f = begin_with(3, REACHED);
    say_pending(f.fd);
    establish_and_say(&f);
}

/* A wait ends only when as many bytes have come as the program has set. */
static void epolled(void) {
    int fd = with_option(SOCK_NONBLOCK), ep = new_epoll();
    add(ep, fd, EPOLLIN | EPOLLOUT | EPOLLET, "F");
    require(strcmp(waiting(ep, 0), "F: OUT|HUP") == 0);
    connection f = begin_with(fd, REACHED);
    establish(&f, "12");
    say("told %s\n", waiting(ep, -1));
    say("established %d %d\n", value_of(fd), kernels(fd));
    char bytes[2];
    require(recv(fd, bytes, 2, MSG_DONTWAIT) == 2);
    set(fd, given->plain);
    say_connected(&f, "");
}

static void refused(void) {
    connection f = begin_with(with_option(SOCK_NONBLOCK), REACHED);
    refuse(&f, 5);
    struct pollfd entry = {f.fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say("refused %d %d\n", value_of(f.fd), kernels(f.fd));
    say("error %s\n", error_of(f.fd));
    f = begin_again(f.fd, REACHED);
    establish_and_say(&f);
}

static void dissolved(void) {
    connection f = begin_with(with_option(SOCK_NONBLOCK), REACHED);
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    say("dissolved %s\n", outcome(connect(f.fd, &nowhere, sizeof nowhere)));
    say("then %d %d\n", value_of(f.fd), kernels(f.fd));
}

/* The program changes the option while pending; or sets it only then. */
static void change(int fd, int later) {
    connection f = begin_with(fd, REACHED);
    set(f.fd, later);
    say_pending(f.fd);
    say("too short %s\n", outcome(setsockopt(f.fd, given->level, given->name, &later, 2)));
    say_pending(f.fd);
    establish_and_say(&f);
}

static void changed_pending(void) { change(with_option(SOCK_NONBLOCK), given->other); }
static void cleared_pending(void) { change(with_option(SOCK_NONBLOCK), given->plain); }
static void set_pending(void) { change(nonblocking(), given->value); }

/* A child continues and completes the handshake. */
static void forked(void) {
    connection f = begin_with(with_option(SOCK_NONBLOCK), REACHED);
    reach(&f, GREETED);
    pid_t child = fork();
    if (child == 0) {
        struct pollfd entry = {f.fd, POLLOUT, 0};
        _exit(poll(&entry, 1, -1) == 1 ? 0 : 1);
    }
    drive = NULL;
    establish(&f, "");
    int status;
    /* A raw call, which the library does not see: its own wait would continue the pending handshakes. */
    require(raw(SYS_wait4, child, (long)&status, 0, 0, 0) == child && status == 0);
    say("established %d %d\n", value_of(f.fd), kernels(f.fd));
    set(f.fd, given->plain);
    say_connected(&f, "");
}

/* A call that waits for the connection. */
static void blocking(void) {
    connection f = {with_option(0), -1, UNREACHED};
    pthread_t thread;
    require(pthread_create(&thread, NULL, meet_and_land, &f) == 0);
    say("connect %s\n", connect_to_target(f.fd));
    require(pthread_join(thread, NULL) == 0);
    say("established %d %d\n", value_of(f.fd), kernels(f.fd));
    set(f.fd, given->plain);
    say_connected(&f, "");
}

static const pending_case cases[] = {
    {"established", established}, {"by-another-number", by_another_number}, {"inherited", inherited},
        {"epolled", epolled},
    {"refused", refused}, {"dissolved", dissolved}, {"changed-pending", changed_pending},
    {"cleared-pending", cleared_pending}, {"set-pending", set_pending}, {"forked", forked},
    {"blocking", blocking}, {0},
};

int main(int count, char **arguments) {
    require(count >= 4);
    for (given = options; strcmp(given->text, arguments[3]) != 0;) given++;
    if (strcmp(arguments[1], "inherited") == 0 && count == 4) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        require(fd >= 0);
        set(fd, given->value);
        require(fd == 3 || dup2(fd, 3) == 3);
        execl("/proc/self/exe", arguments[0], arguments[1], arguments[2], arguments[3], "again", NULL);
        require(!"executed");
    }
    set_up(arguments);
    run_case(cases, arguments[1]);
}
