/* pending-killed CASE ADDRESS: a child continues a pending handshake, and is killed after it has read the proxy's
 * answer and before it has recorded it. From then on the stage of the handshake is unknown. */
#include "filter.h"
#include "pending.h"
#include "raw.h"

#include <sys/resource.h>

static connection f;

static void be_killed(void) {
    require(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == 0);
    end_at_call(SYS_sendto);
    poll(&(struct pollfd){f.fd, POLLIN | POLLOUT, 0}, 1, -1);
    _exit(0);
}

static void lose_child(void) {
    f = begin_pending(REACHED);
    reach(&f, REACHED);
    await(&f, 3);
    answer_greeting(f.far);
    pid_t child = fork();
    if (child == 0) be_killed();
    int status;
    /* A raw call, which the library does not see: its own wait would continue the pending handshakes. */
    require(child > 0 && raw(SYS_wait4, child, (long)&status, 0, 0, 0) == child);
    say("child %s\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "killed" : "not killed");
}

/* The proxy receives no further byte, and the socket connects again. */
static void finish(void) {
    char byte;
    say("the proxy hears %s\n", read(f.far, &byte, 1) > 0 ? "more" : "no more");
    close(f.far);
    connection next = begin_again(f.fd, REACHED);
    establish(&next, "");
    say("poll %d\n", poll(&(struct pollfd){f.fd, POLLOUT, 0}, 1, -1));
    say_connected(&next, "");
}

static void looking(void) {
    lose_child();
    struct pollfd entry = {f.fd, POLLIN | POLLOUT, 0};
    say("poll %d", poll(&entry, 1, 0));
    say(" %s\n", event_names(entry.revents));
    say("error %s\n", error_of(f.fd));
    finish();
}

static void reading(void) {
    char byte;
    lose_child();
    require(fcntl(f.fd, F_SETFL, 0) == 0);
    say("read %s\n", outcome(read(f.fd, &byte, 1)));
    require(fcntl(f.fd, F_SETFL, O_NONBLOCK) == 0);
    finish();
}

int main(int count, char **arguments) {
    static const pending_case cases[] = {{"looking", looking}, {"reading", reading}, {0}};
    require(count == 3);
    set_up(arguments);
    run_case(cases, arguments[1]);
}
