/* flight-waiting CASE ADDRESS CALL: one socket in flight, waited for by one of the calls that wait. */
#include "flight-waiting.h"

static const waiter *by;

static long wait_by(int fd, unsigned events, int timeout) { return by->wait(fd, events, timeout, NULL); }

/* The far side moves only while the call waits. */
static void without_limit(void) {
    flight f = depart(REACHED);
    pilot p = {.f = &f};
    board(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    leave(&p);
    say_connected(&f, "");
}

static void with_limit(void) {
    flight f = depart(REACHED);
    pilot p = {.f = &f};
    board(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLIN | EPOLLOUT | EPOLLPRI, 600000)));
    leave(&p);
    say_connected(&f, "");
}

/* Bytes behind the reply, in the same segment. */
static void early(void) {
    flight f = depart(REACHED);
    pilot p = {.f = &f, .tail = "early bird"};
    board(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    leave(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLIN | EPOLLOUT, -1)));
    say_connected(&f, "early bird");
}

/* The program waits for bytes alone: that the connection is there is nothing to it. */
static void reading_only(void) {
    flight f = depart(REACHED);
    pilot p = {.f = &f, .tail = "x"};
    board(&p);
    say("%s\n", wait_text(wait_by(f.fd, EPOLLIN, -1)));
    leave(&p);
    say_connected(&f, "x");
}

static void drive_by_waiter(flight *f) {
    long result = wait_by(f->fd, EPOLLIN | EPOLLOUT | EPOLLPRI, 0);
    if (result != 0) say("too early: %s\n", wait_text(result));
}

/* A program that asks again and again. */
static void without_waiting(void) {
    drive = drive_by_waiter;
    flight f = depart(REACHED);
    for (int stage = REACHED; stage < LANDED; stage++) {
        reach(&f, stage);
        say("%s: %s\n", stage_names[stage], wait_text(wait_by(f.fd, EPOLLIN | EPOLLOUT | EPOLLPRI, 0)));
    }
    land(&f, "");
    long result;
    while ((result = wait_by(f.fd, EPOLLIN | EPOLLOUT | EPOLLPRI, 0)) == 0) usleep(100);
    say("landed: %s\n", wait_text(result));
    say_connected(&f, "");
}

/* The program waits in slices that are too short for anything. */
static void in_slices(void) {
    flight f = depart(REACHED);
    pilot p = {.f = &f};
    board(&p);
    long result;
    while ((result = wait_by(f.fd, EPOLLOUT, 1)) == 0) continue;
    say("%s\n", wait_text(result));
    leave(&p);
    say_connected(&f, "");
}

/* The whole time goes by, at each stage, and the connection goes on later. */
static void expiring(void) {
    drive = drive_by_waiter;
    flight f = depart(REACHED);
    for (int stage = REACHED; stage < LANDED; stage++) {
        reach(&f, stage);
        double start = seconds_now();
        long result = wait_by(f.fd, EPOLLIN | EPOLLOUT, 30);
        double took = seconds_now() - start;
        say("%s: %s%s\n", stage_names[stage], wait_text(result), took < 0.03 ? ", too soon" : "");
    }
    land(&f, "");
    say("landed: %s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    say_connected(&f, "");
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

/* These calls are not restarted, whatever SA_RESTART says. */
static void interrupted(void) {
    drive = drive_by_waiter;
    flight f = depart(REACHED);
    for (int stage = REACHED; stage < LANDED; stage++) {
        pthread_t thread;
        reach(&f, stage);
        install(stage == GREETED ? SA_RESTART : 0);
        require(pthread_create(&thread, NULL, send_signal_to_sleeper, NULL) == 0);
        long result = wait_by(f.fd, EPOLLIN | EPOLLOUT, -1);
        const char *text = wait_text(result);
        pthread_join(thread, NULL);
        say("%s: %s, handled %d\n", stage_names[stage], text, handled);
    }
    land(&f, "");
    say("landed: %s\n", wait_text(wait_by(f.fd, EPOLLOUT, -1)));
    say_connected(&f, "");
}

/* A signal that is blocked but in the call: it waits before, and ends it at once. */
static void unmasked(void) {
    sigset_t usr1, none;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    require(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
    install(0);
    drive = drive_by_waiter;
    flight f = depart(REACHED);
    for (int stage = REACHED; stage < LANDED; stage++) {
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
    land(&f, "");
    say("landed: %s\n", wait_text(by->wait(f.fd, EPOLLOUT, -1, &none)));
    say_connected(&f, "");
}

static void signal_sleeper(void) { require(tgkill(getpid(), main_thread, SIGUSR1) == 0); }

/* A signal that is blocked in the call alone: it is handled when the call has ended, by the connection. */
static void masked(void) {
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    install(0);
    flight f = depart(REACHED);
    pilot p = {.f = &f, .before_end = signal_sleeper};
    board(&p);
    long result = by->wait(f.fd, EPOLLOUT, -1, &usr1);
    say("%s, handled %d\n", wait_text(result), handled);
    leave(&p);
    say_connected(&f, "");
}

/* The whole of the events, and what comes after. */
static void refused(void) {
    flight f = depart(REACHED);
    pilot p = {.f = &f, .code = 5};
    board(&p);
    long result = wait_by(f.fd, EPOLLIN | EPOLLOUT | EPOLLPRI, -1);
    leave(&p);
    int selects = strstr(by->name, "select") != NULL;
    say("%s\n", result < 0 ? wait_text(result) : event_names((unsigned)result & (selects ? ~0u : EPOLLERR | EPOLLHUP)));
    say("error %s\n", error_of(f.fd));
    say("error %s\n", error_of(f.fd));
    say("peer %s\n", peer_of(f.fd));
}

static const flight_case cases[] = {
    {"without-limit", without_limit}, {"with-limit", with_limit}, {"early", early}, {"reading-only", reading_only},
    {"without-waiting", without_waiting}, {"in-slices", in_slices}, {"expiring", expiring},
    {"interrupted", interrupted}, {"unmasked", unmasked}, {"masked", masked}, {"refused", refused}, {0},
};

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    by = waiter_named(arguments[3]);
    run_case(cases, arguments[1]);
}
