/* pending-user-timeout CASE ADDRESS VALUE: TCP_USER_TIMEOUT, which the program has set to VALUE before connect(2),
 * or not set (0), while the library uses it to limit how long the kernel tries to connect. */
#include "pending-epoll.h"

static int value;

static int timeout_of(int fd) {
    int milliseconds = -1;
    require(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, &(socklen_t){sizeof milliseconds}) == 0);
    return milliseconds;
}

static void set_timeout(int fd, int milliseconds) {
    require(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds) == 0);
}

static int with_timeout(int flags) {
    int fd = socket(target.any.sa_family, SOCK_STREAM | flags, 0);
    require(fd >= 0);
    if (value) set_timeout(fd, value);
    return fd;
}

static void establish_and_say(connection *f) {
    establish(f, "");
    struct pollfd entry = {f->fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say("established %d\n", timeout_of(f->fd));
    say_connected(f, "");
}

static void established(void) {
    connection f = begin_with(with_timeout(SOCK_NONBLOCK), REACHED);
    say("pending %d\n", timeout_of(f.fd));
    for (enum stage stage = REACHED; stage < ESTABLISHED; stage++) {
        reach(&f, stage);
        drive(&f);
        say("pending %d\n", timeout_of(f.fd));
    }
    establish_and_say(&f);
}

/* The program does not ask before the end. */
static void established_unasked(void) {
    connection f = begin_with(with_timeout(SOCK_NONBLOCK), REACHED);
    establish_and_say(&f);
}

static void refused(void) {
    connection f = begin_with(with_timeout(SOCK_NONBLOCK), REACHED);
    refuse(&f, 5);
    struct pollfd entry = {f.fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say("refused %d\n", timeout_of(f.fd));
    say("error %s\n", error_of(f.fd));
    say("refused %d\n", timeout_of(f.fd));
    f = begin_again(f.fd, REACHED);
    establish(&f, "");
    require(poll(&entry, 1, -1) == 1);
    say("established %d\n", timeout_of(f.fd));
    say_connected(&f, "");
}

/* The kernel itself cannot connect. */
static void gone(void) {
    connection f = begin_with(with_timeout(SOCK_NONBLOCK), UNREACHED);
    close_far_side();
    struct pollfd entry = {f.fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say("refused %d\n", timeout_of(f.fd));
    say("error %s\n", error_of(f.fd));
    say("refused %d\n", timeout_of(f.fd));
}

static void dissolved(void) {
    connection f = begin_with(with_timeout(SOCK_NONBLOCK), REACHED);
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    say("dissolved %s\n", outcome(connect(f.fd, &nowhere, sizeof nowhere)));
    say("then %d\n", timeout_of(f.fd));
}

/* The program changes the option while pending. */
static void change(int later) {
    connection f = begin_with(with_timeout(SOCK_NONBLOCK), REACHED);
    set_timeout(f.fd, later);
    say("pending %d\n", timeout_of(f.fd));
    establish_and_say(&f);
}

static void set_pending(void) { change(45678); }
static void cleared_pending(void) { change(0); }

/* A call that waits for the connection. */
static void blocking(void) {
    connection f = {with_timeout(0), -1, UNREACHED};
    pthread_t thread;
    require(pthread_create(&thread, NULL, meet_and_land, &f) == 0);
    say("connect %s\n", connect_to_target(f.fd));
    require(pthread_join(thread, NULL) == 0);
    say("established %d\n", timeout_of(f.fd));
    say_connected(&f, "");
}

/* The option's purpose: a thread that has slept since before connect(2) learns that the kernel has given up.
 * Natively the program sets it itself. The kernel would try for a minute (tcp(7), TCP_SYNCNT). */
static int ep;

static void *sleep_in_epoll(void *thread) {
    *(pid_t *)thread = gettid();
    say("the sleeper: %s\n", waiting(ep, -1));
    return NULL;
}

static void limited(void) {
    int fd = with_timeout(SOCK_NONBLOCK);
    require(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &(int){6}, sizeof(int)) == 0);
    if (native) set_timeout(fd, 1000);
    ep = new_epoll();
    add(ep, fd, EPOLLOUT | EPOLLET, "F");
    require(strcmp(waiting(ep, 0), "F: OUT|HUP") == 0);
    volatile pid_t sleeper = 0;
    pthread_t thread;
    require(pthread_create(&thread, NULL, sleep_in_epoll, (void *)&sleeper) == 0);
    while (!sleeper) doze(500);
    await_sleep(sleeper);
    begin_with(fd, UNREACHED);
    require(pthread_join(thread, NULL) == 0);
    say("error %s\n", error_of(fd));
    if (!native) say("then %d\n", timeout_of(fd));
    else say("then %d\n", value);
}

static const pending_case cases[] = {
    {"established", established}, {"established-unasked", established_unasked}, {"refused", refused}, {"gone", gone},
    {"dissolved", dissolved}, {"set-pending", set_pending}, {"cleared-pending", cleared_pending},
    {"blocking", blocking}, {"limited", limited}, {0},
};

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    value = atoi(arguments[3]);
    run_case(cases, arguments[1]);
}
