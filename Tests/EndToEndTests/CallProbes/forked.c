/* forked CASE WAY ADDRESS: children that are made by other calls than fork(2), with connections through the proxy at
 * that address, which is the probe itself. */
#include "flight.h"

#include <sched.h>

static const char *way;
static void (*child_body)(void *);
static void *child_argument;

static int run_child(void *unused_argument) {
    (void)unused_argument;
    child_body(child_argument);
    _exit(0);
}

static pid_t start(void (*body)(void *), void *argument) {
    static char stack[1 << 18] __attribute__((aligned(16)));
    child_body = body, child_argument = argument;
    pid_t child = -1;
    if (strcmp(way, "fork") == 0) child = fork();
    if (strcmp(way, "_Fork") == 0) child = _Fork();
#ifdef SYS_fork
    if (strcmp(way, "SYS_fork") == 0) child = (pid_t)syscall(SYS_fork);
#endif
    if (strcmp(way, "SYS_clone") == 0) child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (strcmp(way, "clone") == 0) child = clone(run_child, stack + sizeof stack, SIGCHLD, NULL);
    require(child >= 0);
    if (child == 0) run_child(NULL);
    return child;
}

static void await_end(pid_t child) {
    int status;
    require(waitpid(child, &status, 0) == child);
    if (status != 0) say("the child ended with %d\n", status);
}

/* ----- More connections than there is room for at a time, each closed before it stands ----- */

static int begin_and_close(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    require(fd >= 0);
    int error = connect(fd, &target.any, target.length) == 0 ? 0 : errno;
    require(close(fd) == 0);
    return error;
}

static void begin_many(void *unused_argument) {
    (void)unused_argument;
    for (int index = 0; index < 17000; index++) {
        int error = begin_and_close();
        if (error == EINPROGRESS) continue;
        say("the child's %dth: %s\n", index + 1, strerrorname_np(error));
        return;
    }
    say("as many as it likes\n");
}

static void many(void) {
    require(begin_and_close() == EINPROGRESS);
    await_end(start(begin_many, NULL));
    say("then the parent's: %s\n", strerrorname_np(begin_and_close()));
}

/* ----- A connection that the parent leaves to its child ----- */

static void go_on(void *argument) {
    flight *f = argument;
    char byte;
    require(read(filler, &byte, 1) == 1);
    struct pollfd entry = {f->fd, POLLOUT, 0};
    say("poll %d", poll(&entry, 1, -1));
    say(" %s, error %s\n", event_names(entry.revents), error_of(f->fd));
    require(write(f->fd, "child", 5) == 5);
}

static void left(void) {
    flight f = depart(REACHED);
    reach(&f, REACHED);
    int pair[2];
    require(pipe(pair) == 0);
    filler = pair[0];
    pid_t child = start(go_on, &f);
    require(close(f.fd) == 0 && write(pair[1], "x", 1) == 1);
    drive = NULL;
    reach(&f, HALF);
    land(&f, "");
    char bytes[8] = "";
    require(read_all(f.far, bytes, 5));
    say("heard %s\n", bytes);
    await_end(child);
}

int main(int count, char **arguments) {
    require(count == 4);
    way = arguments[2];
    set_up(((char *[]){arguments[0], arguments[1], arguments[3]}));
    run_case((flight_case[]){{"many", many}, {"left", left}, {NULL, NULL}}, arguments[1]);
}
