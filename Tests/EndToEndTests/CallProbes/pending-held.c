/* pending-held CASE ADDRESS: calls that wait for a pending connection and are stopped or interrupted at a critical
 * point. */
#include "clock.h"
#include "pending.h"
#include "stopped.h"

#include <sys/time.h>

enum { LIMIT = 600 };

static connection f;

/* A connection at this stage, on a blocking socket. */
static void begin_blocking(enum stage stage) {
    f = begin_pending(REACHED);
    reach(&f, stage);
    require(fcntl(f.fd, F_SETFL, 0) == 0);
}

static void limit_by_option(int option) {
    require(setsockopt(f.fd, SOL_SOCKET, option, &(struct timeval){LIMIT, 0}, sizeof(struct timeval)) == 0);
}

/* ----- Stopped calls ----- */

static void read_in_thread(void *nothing unused) {
    char byte;
    say("read %s\n", outcome(read(f.fd, &byte, 1)));
}

/* The limit counts from the begin of the call, whenever the library reads it. */
static void limited(void) {
    stopped s;
    begin_blocking(GREETED);
    limit_by_option(SO_RCVTIMEO);
    run_stopped(&s, read_in_thread, NULL, ASKING_LIMIT, 1);
    move_clock(LIMIT * 1000);
    let_go();
    join(&s);
    require(fcntl(f.fd, F_SETFL, O_NONBLOCK) == 0);
    establish(&f, "");
    say("poll %d\n", poll(&(struct pollfd){f.fd, POLLOUT, 0}, 1, -1));
    say_connected(&f, "");
}

static void connect_in_thread(void *nothing unused) { say("connect %s\n", connect_to_target(f.fd)); }

/* Another thread reads the proxy's answer just before this one waits for it. */
static void overtaken(void) {
    stopped s;
    begin_blocking(GREETED);
    await(&f, 10);
    run_stopped(&s, connect_in_thread, NULL, WAITING, 1);
    establish(&f, "");
    say("poll %d\n", poll(&(struct pollfd){f.fd, POLLOUT, 0}, 1, -1));
    let_go();
    join(&s);
    say_connected(&f, "");
}

/* ----- Interrupted calls ----- */

static atomic_int handled;
static atomic_bool is_over;

static void handle(int number unused) { handled++; }

/* A signal between two waits of a call ends the call, like a signal during a wait. */
static void signalled(void) {
    struct sigaction action = {.sa_handler = handle};
    stopped s;
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    begin_blocking(GREETED);
    run_stopped(&s, read_in_thread, NULL, ASKING_LIMIT, 1);
    require(pthread_kill(s.thread, SIGUSR1) == 0);
    let_go();
    join(&s);
    say("handled %d\n", handled);
    require(fcntl(f.fd, F_SETFL, O_NONBLOCK) == 0);
    establish(&f, "");
    say("poll %d\n", poll(&(struct pollfd){f.fd, POLLOUT, 0}, 1, -1));
    say_connected(&f, "");
}

/* Until the call returns, it sleeps or will sleep. In the end it may succeed. */
static void *interrupt(void *nothing) {
    while (!is_over && handled < 1000) {
        int before = handled;
        await_sleep(main_thread);
        require(tgkill(getpid(), main_thread, SIGUSR1) == 0);
        while (!is_over && handled == before) doze(100);
    }
    if (!is_over) establish(&f, "");
    return nothing;
}

/* With a time limit a handler ends the call even with SA_RESTART. */
static void restarted(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    begin_blocking(GREETED);
    limit_by_option(SO_SNDTIMEO);
    drive = NULL;
    pthread_t thread;
    require(pthread_create(&thread, NULL, interrupt, NULL) == 0);
    const char *result = connect_to_target(f.fd);
    is_over = 1;
    require(pthread_join(thread, NULL) == 0);
    say("connect %s\n", result);
    require(fcntl(f.fd, F_SETFL, O_NONBLOCK) == 0);
    drive = drive_by_poll;
    establish(&f, "");
    say("poll %d\n", poll(&(struct pollfd){f.fd, POLLOUT, 0}, 1, -1));
    say_connected(&f, "");
}

int main(int count, char **arguments) {
    static const pending_case cases[] = {
        {"limited", limited}, {"overtaken", overtaken}, {"restarted", restarted},
        {"signalled", signalled}, {0},
    };
    require(count == 3);
    start_tracer();
    set_up(arguments);
    run_case(cases, arguments[1]);
}
