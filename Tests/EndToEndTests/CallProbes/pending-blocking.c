/* pending-blocking CASE ADDRESS WAY: the program makes a pending socket blocking, and its next call waits for the
 * rest of the handshake. WAY: FIONBIO, F_SETFL. */
#include "pending-calls.h"

#include <sys/time.h>

static const char *way;
static connection f;

static void make_blocking(int fd) {
    if (strcmp(way, "FIONBIO") == 0) require(ioctl(fd, FIONBIO, &(int){0}) == 0);
    else require(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0);
}

/* Each of the calls waits until the connection is established and the byte has come. */
static void call(const char *name) {
    const one_byte_call *one_call = NULL;
    for (const one_byte_call *each = reading_calls; each->name; each++)
        if (strcmp(each->name, name) == 0) one_call = each;
    int is_reading = one_call != NULL;
    for (const one_byte_call *each = writing_calls; each->name; each++)
        if (strcmp(each->name, name) == 0) one_call = each;
    require(one_call);
    f = begin_pending(REACHED);
    make_blocking(f.fd);
    pilot p = {.f = &f, .tail = is_reading ? "x" : ""};
    board(&p);
    ssize_t result = one_call->call(f.fd);
    say("%s: %zd %s\n", name, result, outcome(result));
    leave(&p);
    char byte = heard;
    if (!is_reading) require(read_all(f.far, &byte, 1));
    say("byte %c\n", byte);
    say_connected(&f, "");
}

static void connecting(void) {
    f = begin_pending(REACHED);
    make_blocking(f.fd);
    pilot p = {.f = &f};
    board(&p);
    say("connect: %s\n", connect_to_target(f.fd));
    leave(&p);
    say_connected(&f, "");
}

/* Waits at most for SO_SNDTIMEO, and continues in the next call. */
static void send_timeout(void) {
    f = begin_pending(REACHED);
    reach(&f, GREETED);
    make_blocking(f.fd);
    struct timeval limit = {0, 30000}, longer = {600, 0};
    require(setsockopt(f.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    say("connect: %s\n", connect_to_target(f.fd));
    say("write: %s\n", outcome(write(f.fd, "x", 1)));
    require(setsockopt(f.fd, SOL_SOCKET, SO_SNDTIMEO, &longer, sizeof longer) == 0);
    pilot p = {.f = &f};
    board(&p);
    say("write: %s\n", outcome(write(f.fd, "y", 1)));
    leave(&p);
    char byte = 0;
    require(read_all(f.far, &byte, 1));
    say("byte %c\n", byte);
    say_connected(&f, "");
}

/* The same with SO_RCVTIMEO, for reading. */
static void receive_timeout(void) {
    f = begin_pending(REACHED);
    reach(&f, GREETED);
    make_blocking(f.fd);
    struct timeval limit = {0, 30000}, longer = {600, 0};
    require(setsockopt(f.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    char byte = 0;
    say("read: %s\n", outcome(read(f.fd, &byte, 1)));
    require(setsockopt(f.fd, SOL_SOCKET, SO_RCVTIMEO, &longer, sizeof longer) == 0);
    pilot p = {.f = &f, .tail = "x"};
    board(&p);
    say("read: %s\n", outcome(read(f.fd, &byte, 1)));
    leave(&p);
    say("byte %c\n", byte);
    say_connected(&f, "");
}

/* A non-blocking call on a blocking socket. */
static void dont_wait(void) {
    char byte = 0;
    f = begin_pending(REACHED);
    reach(&f, GREETED);
    make_blocking(f.fd);
    say("recv: %s\n", outcome(recv(f.fd, &byte, 1, MSG_DONTWAIT)));
    say("send: %s\n", outcome(send(f.fd, "x", 1, MSG_DONTWAIT)));
    struct iovec vector = {&byte, 1};
    say("preadv2: %s\n", outcome(preadv2(f.fd, &vector, 1, -1, RWF_NOWAIT)));
    struct pollfd entry = {f.fd, POLLOUT, 0};
    say("poll: %d\n", poll(&entry, 1, 0));
    establish(&f, "");
    say("poll: %d\n", poll(&entry, 1, -1));
    say_connected(&f, "");
}

static void refused(void) {
    char byte;
    f = begin_pending(REACHED);
    make_blocking(f.fd);
    pilot p = {.f = &f, .code = 5};
    board(&p);
    say("read: %s\n", outcome(read(f.fd, &byte, 1)));
    leave(&p);
    say("error %s\n", error_of(f.fd));
}

static void refused_connecting(void) {
    f = begin_pending(REACHED);
    make_blocking(f.fd);
    pilot p = {.f = &f, .code = 5};
    board(&p);
    say("connect: %s\n", connect_to_target(f.fd));
    leave(&p);
    say("error %s\n", error_of(f.fd));
}

static void handle(int number) { (void)number; }

/* A handler without SA_RESTART ends only the call. */
static void interrupted(void) {
    struct sigaction action = {.sa_handler = handle};
    pthread_t thread;
    char byte = 0;
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    f = begin_pending(REACHED);
    reach(&f, GREETED);
    make_blocking(f.fd);
    require(pthread_create(&thread, NULL, interrupt_when_asleep, NULL) == 0);
    say("read: %s\n", outcome(read(f.fd, &byte, 1)));
    pthread_join(thread, NULL);
    pilot p = {.f = &f, .tail = "x"};
    board(&p);
    say("read: %s\n", outcome(read(f.fd, &byte, 1)));
    leave(&p);
    say("byte %c\n", byte);
    say_connected(&f, "");
}

static const pending_case cases[] = {
    {"connect", connecting}, {"send-timeout", send_timeout}, {"receive-timeout", receive_timeout},
    {"dont-wait", dont_wait}, {"refused", refused}, {"refused-connecting", refused_connecting},
    {"interrupted", interrupted}, {0},
};

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    way = arguments[3];
    for (const pending_case *each = cases; each->name; each++) {
        if (strcmp(each->name, arguments[1]) != 0) continue;
        each->run();
        return 0;
    }
    call(arguments[1]);
}
