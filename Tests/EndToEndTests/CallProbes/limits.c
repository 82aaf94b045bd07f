/* limits CASE ADDRESS LIMIT ...: calls that wait for a silent proxy, which is the probe itself, at port 1080 of
 * ADDRESS. The wait must end at LIMIT, in milliseconds, by the clock that the probe sets. */
#include "clock.h"
#include "raw.h"
#include "pending-waiting.h"

#include <sys/time.h>

static connection f;
static long limit;
/* The events that the program waits for. */
static unsigned events = EPOLLIN | EPOLLOUT | EPOLLPRI;

/* A socket whose connection attempt the kernel never ends by itself. */
static int patient(void) {
    int fd = nonblocking();
    require(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &(int){127}, sizeof(int)) == 0);
    return fd;
}

/* ----- A program that polls from time to time ----- */

static void look(const char *when, const waiter *by) {
    say("%s: %s\n", when, wait_text(by->wait(f.fd, events, 0, NULL)));
}

/* looking ADDRESS LIMIT STAGE CALL: the limit for one answer, or for the connection to the proxy. */
static void looking(char **arguments) {
    enum stage stage = stage_named(arguments[0]);
    const waiter *by = waiter_named(arguments[1]);
    f = begin_with(patient(), stage);
    reach(&f, stage);
    look("at once", by);
    if (stage == UNREACHED) {
        /* The program sees its own value. */
        int kernels = -1;
        socklen_t length = sizeof kernels;
        require(raw(SYS_getsockopt, f.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (long)&kernels, (long)&length) == 0);
        say("TCP_USER_TIMEOUT %s\n", kernels == limit ? "is the limit" : "is another");
    }
    move_clock(limit - 1);
    look("just before", by);
    move_clock(1);
    look("at the end", by);
    say("error %s\n", error_of(f.fd));
}

/* answers ADDRESS LIMIT CALL: each answer has the full limit. */
static void answers(char **arguments) {
    const waiter *by = waiter_named(arguments[0]);
    f = begin_pending(REACHED);
    reach(&f, REACHED);
    look("reached", by);
    move_clock(limit - 1);
    reach(&f, GREETED);
    look("greeted", by);
    move_clock(limit - 1);
    /* A part of an answer does not restart the limit. */
    reach(&f, HALF);
    look("half", by);
    move_clock(1);
    look("at the end", by);
    say("error %s\n", error_of(f.fd));
}

static void drive_by_looking(connection *f) {
    if (poll(&(struct pollfd){f->fd, (short)events, 0}, 1, 0) != 0) say_early("an answer\n");
}

/* asking ADDRESS LIMIT proxy|server: a query datagram for a name server, which the library sends through the proxy;
 * the proxy or the server is silent. */
static void asking(char **arguments) {
    static const char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3web\4test\0\0\1\0\1";
    enum { LENGTH = sizeof query - 1 };
    const waiter *by = waiter_named("poll");
    events = EPOLLIN;
    drive = drive_by_looking;
    address server = numeric("203.0.113.10", "53");
    f = (connection){socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), -1, UNREACHED};
    require(sendto(f.fd, query, LENGTH, 0, &server.any, server.length) == LENGTH);
    reach(&f, GREETED);
    if (strcmp(arguments[0], "server") == 0) {
        char bytes[10];
        await(&f, 10);
        require(read_all(f.far, bytes, 10) && write(f.far, good_reply, 10) == 10);
        await(&f, 2 + LENGTH);
    }
    look("at once", by);
    move_clock(limit - 1);
    look("just before", by);
    move_clock(1);
    look("at the end", by);
    unsigned char answer[512];
    ssize_t length = recv(f.fd, answer, sizeof answer, 0);
    say("answer %s\n", length < 12 ? outcome(length) : (answer[3] & 15) == 2 ? "SERVFAIL" : "another");
}

/* ----- A program that waits in a call ----- */

/* Whether the main thread's call has returned. */
static atomic_bool is_over;

/* Moves the clock while the main thread waits. Returns whether the thread still waits after it has read the new
 * time. `wake` wakes the thread if it does not read the clock by itself. */
static const char *after(long milliseconds, void (*wake)(void)) {
    await_sleep(main_thread);
    move_clock(milliseconds);
    unsigned long before = clock_readings;
    if (wake) wake();
    while (!is_over && clock_readings == before) doze(500);
    await_sleep(main_thread);
    return is_over ? "over" : "waits";
}

static void bring_to_greeted(void) { reach(&f, GREETED); }
static void bring_to_half(void) { reach(&f, HALF); }

static void *pass_time(void *wakes) {
    if (f.far < 0) f.far = accept_client(listening);
    f.stage = REACHED;
    await(&f, 3);
    say("just before: %s\n", after(limit - 1, wakes ? bring_to_greeted : NULL));
    say("at the end: %s\n", after(1, wakes ? bring_to_half : NULL));
    /* The main thread would never return. */
    if (!is_over) _exit(0);
    return NULL;
}

static pthread_t begin_passing(void *wakes) {
    drive = NULL;
    pthread_t thread;
    require(pthread_create(&thread, NULL, pass_time, wakes) == 0);
    return thread;
}

/* waiting ADDRESS LIMIT CALL: the program's time limit for poll(2) and the like. */
static void waiting(char **arguments) {
    const waiter *by = waiter_named(arguments[0]);
    f = begin_pending(REACHED);
    reach(&f, REACHED);
    pthread_t thread = begin_passing("");
    long result = by->wait(f.fd, events, (int)limit, NULL);
    is_over = 1;
    require(pthread_join(thread, NULL) == 0);
    say("told %s\n", wait_text(result));
}

static void limit_by_option(int fd, int option) {
    struct timeval time = {limit / 1000, limit % 1000 * 1000};
    require(setsockopt(fd, SOL_SOCKET, option, &time, sizeof time) == 0);
}

/* calling ADDRESS LIMIT connect|read|write|sendto|recv|patient: the limit from the socket's options; with "patient"
 * there is none. */
static void calling(char **arguments) {
    const char *call = arguments[0];
    char byte = 'x';
    long result = 0;
    f.far = -1;
    int is_datagram = strcmp(call, "sendto") == 0 || strcmp(call, "recv") == 0;
    if (strcmp(call, "read") == 0 || strcmp(call, "write") == 0) {
        f = begin_pending(REACHED);
        require(fcntl(f.fd, F_SETFL, 0) == 0);
    } else {
        f.fd = socket(AF_INET, is_datagram ? SOCK_DGRAM : SOCK_STREAM, 0);
    }
    if (strcmp(call, "recv") == 0) require(sendto(f.fd, &byte, 1, MSG_DONTWAIT, &target.any, target.length) == 1);
    if (strcmp(call, "patient") != 0)
        limit_by_option(f.fd, strcmp(call, "read") == 0 || strcmp(call, "recv") == 0 ? SO_RCVTIMEO : SO_SNDTIMEO);
    pthread_t thread = begin_passing(NULL);
    if (strcmp(call, "read") == 0) result = read(f.fd, &byte, 1);
    else if (strcmp(call, "write") == 0) result = write(f.fd, &byte, 1);
    else if (strcmp(call, "sendto") == 0) result = sendto(f.fd, &byte, 1, 0, &target.any, target.length);
    else if (strcmp(call, "recv") == 0) result = recv(f.fd, &byte, 1, 0);
    else result = connect(f.fd, &target.any, target.length);
    const char *told = outcome(result);
    is_over = 1;
    require(pthread_join(thread, NULL) == 0);
    say("told %s\n", told);
}

/* ----- A program that ends ----- */

static void await_readings(void) {
    for (unsigned long before = clock_readings; clock_readings < before + 20;) doze(500);
}

static atomic_bool is_ending;

static void *watch_the_end(void *nothing) {
    while (!is_ending) doze(500);
    await_readings();
    move_clock(limit - 1);
    await_readings();
    say("just before: waits\n");
    move_clock(1);
    await_readings();
    say("at the end: waits\n");
    _exit(0);
    return nothing;
}

/* ending ADDRESS LIMIT: exit(3) while a datagram waits for the proxy. */
static void ending(char **arguments unused) {
    pthread_t thread;
    require(pthread_create(&thread, NULL, watch_the_end, NULL) == 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    require(sendto(fd, "x", 1, 0, &target.any, target.length) == 1);
    is_ending = 1;
    exit(0);
}

/* ----- The kernel's limit ----- */

static void *look_at_option(void *nothing) {
    struct timeval time = {0};
    while (time.tv_sec == 0 && time.tv_usec == 0)
        require(getsockopt(f.fd, SOL_SOCKET, SO_SNDTIMEO, &time, &(socklen_t){sizeof time}) == 0);
    say("SO_SNDTIMEO %s\n", time.tv_sec * 1000 + time.tv_usec / 1000 == limit ? "is the limit" : "is another");
    _exit(0);
    return nothing;
}

/* connecting ADDRESS LIMIT: connect(2) while the kernel waits for the proxy's machine. */
static void connecting(char **arguments unused) {
    f.fd = socket(AF_INET, SOCK_STREAM, 0);
    fill_queue();
    pthread_t thread;
    require(pthread_create(&thread, NULL, look_at_option, NULL) == 0);
    say("connect %s\n", connect_to_target(f.fd));
}

int main(int count, char **arguments) {
    require(count >= 4);
    set_up(arguments);
    limit = atol(arguments[3]);
    static const struct {
        const char *name;
        void (*run)(char **arguments);
    } cases[] = {
        {"looking", looking}, {"answers", answers}, {"asking", asking}, {"waiting", waiting},
        {"calling", calling}, {"ending", ending}, {"connecting", connecting},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        if (strcmp(cases[index].name, arguments[1]) != 0) continue;
        cases[index].run(arguments + 4);
        /* The attempt is now the kernel's alone: the clock stands still. */
        _exit(0);
    }
    require(!"a case of this probe");
}
