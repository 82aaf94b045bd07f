/* pending-waiting CASE ADDRESS CALL: waits for one pending socket by one of the waiting calls. */
#include "pending-waiting.h"

#include <stdatomic.h>

static const waiter *by;

static long wait_by(int fd, unsigned events, int timeout) { return by->wait(fd, events, timeout, NULL); }

/* The far side continues only while the call waits. */
static void without_limit(void) {
    connection f = begin_pending(REACHED);
    pilot p = {.f = &f};
    board(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    leave(&p);
    say_connected(&f, "");
}

static void with_limit(void) {
    connection f = begin_pending(REACHED);
    pilot p = {.f = &f};
    board(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLIN | EPOLLOUT | EPOLLPRI, 600000)));
    leave(&p);
    say_connected(&f, "");
}

/* Bytes after the reply, in the same segment. */
static void early(void) {
    connection f = begin_pending(REACHED);
    pilot p = {.f = &f, .tail = "early bird"};
    board(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    leave(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLIN | EPOLLOUT, -1)));
    say_connected(&f, "early bird");
}

/* The program waits only for bytes; the established connection does not end the wait. */
static void reading_only(void) {
    connection f = begin_pending(REACHED);
    pilot p = {.f = &f, .tail = "x"};
    board(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLIN, -1)));
    leave(&p);
    say_connected(&f, "x");
}

static void drive_by_waiter(connection *f) {
    long result = wait_by(f->fd, EPOLLIN | EPOLLOUT | EPOLLPRI, 0);
    if (result != 0) say_early("%s\n", wait_text(result));
}

/* A program that polls. */
static void without_waiting(void) {
    drive = drive_by_waiter;
    connection f = begin_pending(REACHED);
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        reach(&f, stage);
        say("%s: %s\n", stage_names[stage], wait_text(wait_by(f.fd, EPOLLIN | EPOLLOUT | EPOLLPRI, 0)));
    }
    establish(&f, "");
    long result;
    while ((result = wait_by(f.fd, EPOLLIN | EPOLLOUT | EPOLLPRI, 0)) == 0) doze(100);
    say("established: %s\n", wait_text(result));
    say_connected(&f, "");
}

/* The program waits in slices that are too short for a step of the handshake. */
static void in_slices(void) {
    connection f = begin_pending(REACHED);
    pilot p = {.f = &f};
    board(&p);
    long result;
    while ((result = wait_by(f.fd, EPOLLOUT, 1)) == 0) continue;
    say("%s\n", wait_text(result));
    leave(&p);
    say_connected(&f, "");
}

/* The whole time limit passes, at each stage, and the handshake continues later. */
static void expiring(void) {
    drive = drive_by_waiter;
    connection f = begin_pending(REACHED);
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        reach(&f, stage);
        double start = seconds_now();
        long result = wait_by(f.fd, EPOLLIN | EPOLLOUT, 30);
        double took = seconds_now() - start;
        say("%s: %s%s\n", stage_names[stage], wait_text(result), took < 0.03 ? ", too soon" : "");
    }
    establish(&f, "");
    say("established: %s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    say_connected(&f, "");
}

static volatile int is_urgent;

/* One byte at a time: both answers while the program sleeps; or a long name, until the time limit is over. */
static void *serve_bytes(void *argument) {
    connection *f = argument;
    char reply[5 + 255 + 2 + 11] = {5, 0, 0, 3, (char)255};
    memcpy(reply + 5 + 255 + 2, "early bird", 11);
    if (native) {
        while (!is_urgent) doze(1000);
        establish(f, "early bird");
        return NULL;
    }
    reach(f, REACHED);
    await(f, 3);
    unsigned char bytes[10];
    require(read_all(f->far, bytes, 3));
    for (int index = 0; index < 2; index++) {
        await_sleep(main_thread);
        require(write(f->far, index == 0 ? "\5" : "\0", 1) == 1);
    }
    await(f, 10);
    require(read_all(f->far, bytes, 10));
    for (size_t index = 0; index < sizeof reply - 1; index++) {
        if (!is_urgent) doze(20000);
        else await_sleep(main_thread);
        require(write(f->far, &reply[index], 1) == 1);
    }
    return NULL;
}

/* More bytes than come within the time limit: the limit does not restart with each byte. */
static void dripping(void) {
    pthread_t thread;
    connection f = begin_pending(REACHED);
    drive = NULL;
    require(pthread_create(&thread, NULL, serve_bytes, &f) == 0);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLOUT, 300)));
    is_urgent = 1;
    say("%s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    pthread_join(thread, NULL);
    say_connected(&f, "early bird");
}

static void by_bytes(void) {
    pthread_t thread;
    is_urgent = 1;
    connection f = begin_pending(REACHED);
    drive = NULL;
    require(pthread_create(&thread, NULL, serve_bytes, &f) == 0);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    pthread_join(thread, NULL);
    say_connected(&f, "early bird");
}

/* Both answers and the target's bytes come before any request. */
static void answered_early(void) {
    connection f = begin_pending(REACHED);
    reach(&f, REACHED);
    if (native) establish(&f, "early bird");
    else require(write(f.far, "\5\0\5\0\0\1\0\0\0\0\0\0early bird", 22) == 22);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    char bytes[13];
    if (!native) require(read_all(f.far, bytes, 13) && memcmp(bytes, "\5\1\0\5\1\0\1\313\0\161\12\0\120", 13) == 0);
    say_connected(&f, "early bird");
}

static volatile sig_atomic_t handled;

static void handle(int number) {
    (void)number;
    handled++;
}

static void install(int flags) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = flags};
    require(sigaction(SIGUSR1, &action, NULL) == 0);
}

static void *send_signal_to_sleeper(void *nothing) {
    await_sleep(main_thread);
    require(tgkill(getpid(), main_thread, SIGUSR1) == 0);
    return nothing;
}

/* The kernel does not restart these calls, even with SA_RESTART. */
static void interrupted(void) {
    drive = drive_by_waiter;
    connection f = begin_pending(REACHED);
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        pthread_t thread;
        reach(&f, stage);
        install(stage == GREETED ? SA_RESTART : 0);
        require(pthread_create(&thread, NULL, send_signal_to_sleeper, NULL) == 0);
        long result = wait_by(f.fd, EPOLLIN | EPOLLOUT, -1);
        const char *text = wait_text(result);
        pthread_join(thread, NULL);
        say("%s: %s, handled %d\n", stage_names[stage], text, handled);
    }
    establish(&f, "");
    say("established: %s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    say_connected(&f, "");
}

/* A signal that only the call's mask unblocks: it is pending before, and ends the call at once. */
static void unmasked(void) {
    sigset_t usr1, none;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    require(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
    install(0);
    drive = drive_by_waiter;
    connection f = begin_pending(REACHED);
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        reach(&f, stage);
        require(tgkill(getpid(), main_thread, SIGUSR1) == 0);
        long result = by->wait(f.fd, EPOLLIN | EPOLLOUT, -1, &none);
        say("%s: %s, handled %d\n", stage_names[stage], wait_text(result), handled);
        require(tgkill(getpid(), main_thread, SIGUSR1) == 0);
        say("%s, without: %s, handled %d\n", stage_names[stage], wait_text(wait_by(f.fd, EPOLLOUT, 10)), handled);
        sigset_t pending, now;
        require(sigpending(&pending) == 0 && sigprocmask(SIG_SETMASK, NULL, &now) == 0);
        say("pending %d, blocked %d\n", sigismember(&pending, SIGUSR1), sigismember(&now, SIGUSR1));
        require(sigwaitinfo(&usr1, NULL) == SIGUSR1);
    }
    establish(&f, "");
    say("established: %s\n", wait_text(by->wait(f.fd, EPOLLOUT, -1, &none)));
    say_connected(&f, "");
}

/* A waiting thread is cancelled, and another thread continues with the connection. */
static atomic_int waiting_thread;

static void *wait_for_ever(void *f) {
    waiting_thread = gettid();
    wait_by(((connection *)f)->fd, EPOLLOUT, -1);
    return NULL;
}

static void cancelled(void) {
    drive = drive_by_waiter;
    connection f = begin_pending(REACHED);
    for (int stage = REACHED; stage < ESTABLISHED; stage++) {
        pthread_t thread;
        void *result;
        reach(&f, stage);
        waiting_thread = 0;
        require(pthread_create(&thread, NULL, wait_for_ever, &f) == 0);
        while (!waiting_thread) doze(100);
        await_sleep(waiting_thread);
        require(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
        say("%s: %s\n", stage_names[stage], result == PTHREAD_CANCELED ? "cancelled" : "returned");
    }
    establish(&f, "");
    say("established: %s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    say_connected(&f, "");
}

/* A handler makes the same calls, for the same socket, at any point of the interrupted call. */
static volatile sig_atomic_t handler_fd = -1;
static volatile sig_atomic_t is_over;

static void enter(int number) {
    (void)number;
    int error = errno;
    char byte;
    struct pollfd entry = {handler_fd, POLLOUT, 0};
    if (handler_fd >= 0) {
        poll(&entry, 1, 0);
        if (handled++ % 2) recv(handler_fd, &byte, 1, MSG_PEEK);
        else getpeername(handler_fd, &(struct sockaddr){0}, &(socklen_t){sizeof(struct sockaddr)});
    }
    errno = error;
}

static void *bombard(void *nothing) {
    while (!is_over) {
        tgkill(getpid(), main_thread, SIGUSR1);
        doze(50);
    }
    return nothing;
}

static void *serve_plainly(void *argument) {
    connection *f = argument;
    if (native) {
        empty_queue();
        f->far = accept_client(listening);
        return NULL;
    }
    f->far = accept_client(listening);
    answer_greeting(f->far);
    answer_request(f->far, 0);
    return NULL;
}

static void handler_enters(void) {
    struct sigaction action = {.sa_handler = enter, .sa_flags = SA_RESTART};
    pthread_t bomber, server;
    drive = NULL;
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    require(pthread_create(&bomber, NULL, bombard, NULL) == 0);
    int established = 0, turns = 0, least = native ? 1 : 50;
    /* On a busy machine it is possible that no signal comes in that many turns. */
    for (; turns < least || !handled; turns++) {
        connection f = begin_pending(REACHED);
        handler_fd = f.fd;
        require(pthread_create(&server, NULL, serve_plainly, &f) == 0);
        long result;
        while ((result = wait_by(f.fd, EPOLLOUT, -1)) < 0 && errno == EINTR) continue;
        pthread_join(server, NULL);
        if (result == POLLOUT && strcmp(error_of(f.fd), "0") == 0) established++;
        else say("number %d: %s\n", turns, wait_text(result));
        handler_fd = -1;
        close(f.fd);
        close(f.far);
    }
    is_over = 1;
    pthread_join(bomber, NULL);
    say("established %s, handled %s\n", established == turns ? "all" : "some", handled > 0 ? "some" : "none");
}

static void signal_sleeper(void) { require(tgkill(getpid(), main_thread, SIGUSR1) == 0); }

/* A signal that only the call's mask blocks: it is handled after the connection has ended the call. */
static void masked(void) {
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    install(0);
    connection f = begin_pending(REACHED);
    pilot p = {.f = &f, .before_end = signal_sleeper};
    board(&p);
    long result = by->wait(f.fd, EPOLLOUT, -1, &usr1);
    say("%s, handled %d\n", wait_text(result), handled);
    leave(&p);
    say_connected(&f, "");
}

/* All the events, and those that come afterwards. */
static void refused(void) {
    connection f = begin_pending(REACHED);
    pilot p = {.f = &f, .code = 5};
    board(&p);
    long result = wait_by(f.fd, EPOLLIN | EPOLLOUT | EPOLLPRI, -1);
    leave(&p);
    say("%s\n", result < 0 ? wait_text(result) : event_names((unsigned)result));
    say("error %s\n", error_of(f.fd));
    say("error %s\n", error_of(f.fd));
    say("peer %s\n", peer_of(f.fd));
}

static const pending_case cases[] = {
    {"without-limit", without_limit}, {"with-limit", with_limit}, {"early", early}, {"reading-only", reading_only},
    {"without-waiting", without_waiting}, {"in-slices", in_slices}, {"expiring", expiring},
    {"dripping", dripping}, {"by-bytes", by_bytes}, {"answered-early", answered_early},
    {"interrupted", interrupted}, {"unmasked", unmasked}, {"masked", masked},
    {"cancelled", cancelled}, {"handler-enters", handler_enters}, {"refused", refused}, {0},
};

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    by = waiter_named(arguments[3]);
    run_case(cases, arguments[1]);
}
