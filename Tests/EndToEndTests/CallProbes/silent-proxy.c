/* silent-proxy CASE ADDRESS CALL: silent proxies, in a list with or without another proxy, and without a configured
 * time limit; by the clock that the probe sets. The probe is the proxies at ports 1080 and 1081 of ADDRESS; the
 * second works. */
#include "clock.h"
#include "raw.h"
#include "pending-waiting.h"

#include <sys/time.h>

static int second = -1;
static connection f;
static const waiter *by;

/* The time that a proxy has when another could replace it. */
enum { PATIENCE = 7000, ANSWER = 120000 };

static void look(const char *when) {
    say("%s: %s\n", when, event_names((unsigned)by->wait(f.fd, EPOLLOUT, 0, NULL)));
}

/* A socket whose connection attempt the kernel never ends by itself. */
static void begin(enum stage stage) {
    int fd = nonblocking();
    require(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &(int){127}, sizeof(int)) == 0);
    f = begin_with(fd, stage);
    reach(&f, stage);
    look("at once");
}

static int kernels_limit(void) {
    int value = -1;
    socklen_t length = sizeof value;
    require(raw(SYS_getsockopt, f.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (long)&value, (long)&length) == 0);
    return value;
}

/* The second proxy serves the connection that comes to it. */
static void *serve(void *nothing) {
    f.far = accept_client(second);
    answer_greeting(f.far);
    answer_request(f.far, 0);
    return nothing;
}

static void go_on_with_second(void) {
    pthread_t thread;
    look("just before");
    move_clock(1);
    require(pthread_create(&thread, NULL, serve, NULL) == 0);
    say("then %s\n", event_names((unsigned)by->wait(f.fd, EPOLLOUT, -1, NULL)));
    require(pthread_join(thread, NULL) == 0);
    say_connected(&f, "");
}

static void give_up(void) {
    look("just before");
    move_clock(1);
    look("at the end");
    say("error %s\n", error_of(f.fd));
}

/* The proxy's machine does not answer. */
static void unreached(void) {
    begin(UNREACHED);
    say("the kernel's limit %d\n", kernels_limit());
    move_clock(PATIENCE - 1);
    go_on_with_second();
}

/* The proxy accepts connections, and sends nothing. */
static void reached(void) {
    begin(REACHED);
    move_clock(PATIENCE - 1);
    go_on_with_second();
}

/* The proxy has been asked for the destination, which may be the silent one. */
static void asked(void) {
    begin(GREETED);
    move_clock(PATIENCE);
    look("after the patience");
    move_clock(ANSWER - PATIENCE - 1);
    give_up();
}

/* There is no other proxy. */
static void single(void) {
    begin(UNREACHED);
    say("the kernel's limit %d\n", kernels_limit());
    move_clock(PATIENCE);
    look("after the patience");
    move_clock(10 * ANSWER);
    look("much later");
    drive = NULL;
    empty_queue();
    f.far = accept_client(listening);
    f.stage = REACHED;
    look("reached");
    move_clock(PATIENCE);
    look("after the patience");
    move_clock(ANSWER - PATIENCE - 1);
    give_up();
}

/* A proxy whose protocol has a single request is asked for the destination with its first byte. */
static void asked_at_once(void) {
    begin(REACHED);
    move_clock(PATIENCE);
    look("after the patience");
    move_clock(ANSWER - PATIENCE - 1);
    look("just before");
}

/* A waiting call gives the kernel this much time, or its own limit if that is shorter. */
static void *tell_limit(void *nothing) {
    struct timeval limit;
    await_sleep(main_thread);
    require(raw(SYS_getsockopt, f.fd, SOL_SOCKET, SO_SNDTIMEO, (long)&limit, (long)&(socklen_t){sizeof limit}) == 0);
    say("SO_SNDTIMEO %ld\n", limit.tv_sec * 1000 + limit.tv_usec / 1000);
    empty_queue();
    drive = NULL;
    f.far = accept_client(listening);
    answer_greeting(f.far);
    answer_request(f.far, 0);
    return nothing;
}

static void blocking(void) {
    pthread_t thread;
    fill_queue();
    f = (connection){stream(&target), -1, UNREACHED};
    require(pthread_create(&thread, NULL, tell_limit, NULL) == 0);
    say("connect %s\n", connect_to_target(f.fd));
    require(pthread_join(thread, NULL) == 0);
    struct timeval limit;
    require(getsockopt(f.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &(socklen_t){sizeof limit}) == 0);
    say("then %ld\n", limit.tv_sec);
}

static const pending_case cases[] = {
    {"unreached", unreached}, {"reached", reached}, {"asked", asked}, {"single", single},
    {"asked-at-once", asked_at_once}, {"blocking", blocking}, {0},
};

int main(int count, char **arguments) {
    address at;
    require(count == 4);
    by = waiter_named(arguments[3]);
    set_up(arguments);
    second = listener(arguments[2], "1081", &at);
    run_case(cases, arguments[1]);
}
