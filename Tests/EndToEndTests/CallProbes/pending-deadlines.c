/* pending-deadlines CASE ADDRESS MILLISECONDS: the limit of a first attempt is over during the second. The probe is
 * two proxies, at ports 1080 and 1081 of ADDRESS. MILLISECONDS is the configured limit: more than the whole run
 * takes, because it is over when the probe has moved the clock. */
#include "pending.h"
#include "clock.h"

static int second, second_filler = -1;
static address second_address;
static int limit;
static connection f;

/* Makes the second proxy's machine drop SYNs, until the probe lets it be reached. */
static void fill_second(void) {
    require(listen(second, 0) == 0);
    second_filler = stream(&second_address);
    require(connect(second_filler, &second_address.any, second_address.length) == 0);
}

static void serve_by_second(void) {
    require(listen(second, 16) == 0);
    close(accept_client(second));
    close(second_filler);
    f.far = accept_client(second);
    answer_greeting(f.far);
    answer_request(f.far, 0);
}

/* The limit for connecting, counted from the first attempt, is over when the second attempt begins and does not
 * succeed at once. */
static void *close_late(void *nothing) {
    move_clock(limit + 1);
    close(f.far);
    await_sleep(main_thread);
    serve_by_second();
    return nothing;
}

/* The first proxy has not answered in time, and the connection to the second takes a while. */
static void *stay_silent(void *nothing) {
    char bytes[16];
    move_clock(limit + 1);
    while (read(f.far, bytes, sizeof bytes) > 0) continue;
    close(f.far);
    await_sleep(main_thread);
    serve_by_second();
    return nothing;
}

static void run_by(void *(*far_side)(void *)) {
    pthread_t thread;
    f = begin_pending(REACHED);
    reach(&f, REACHED);
    await(&f, 3);
    require(pthread_create(&thread, NULL, far_side, NULL) == 0);
    struct pollfd entry = {f.fd, POLLOUT, 0};
    int count;
    /* Each call reads the clock. */
    while ((count = poll(&entry, 1, 1)) == 0) continue;
    say("poll %d %s\n", count, event_names(entry.revents));
    require(pthread_join(thread, NULL) == 0);
    say_connected(&f, "");
}

static void closed_late(void) { run_by(close_late); }
static void silent(void) { run_by(stay_silent); }

static const pending_case cases[] = {{"closed-late", closed_late}, {"silent", silent}, {0}};

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    limit = atoi(arguments[3]);
    second = listener(arguments[2], "1081", &second_address);
    fill_second();
    run_case(cases, arguments[1]);
}
