/* first-use MODE HOST PORT: a process's first connections, when the first is stopped, or lacks a resource. */
#include "stopped.h"

#include <sys/resource.h>

static address to;

static const char *connected(void) {
    int fd = stream(&to);
    const char *result = connect(fd, &to.any, to.length) == 0 ? echo(fd) : outcome(-1);
    close(fd);
    return result;
}

static void connect_first(void *nothing unused) { say("first: %s\n", connected()); }

/* While a thread reads the configuration, a child connects; before the child, another thread connects, or none. */
static void beside_first(int has_company) {
    stopped s;
    run_stopped(&s, connect_first, NULL, OPENING, 1);
    if (has_company) say("another thread: %s\n", connected());
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        say("child: %s\n", connected());
        _exit(0);
    }
    require(waitpid(child, NULL, 0) == child);
    let_go();
    join(&s);
}

static void handle(int signal unused) { say("handler: %s\n", connected()); }

/* A handler interrupts the thread that reads the configuration. */
static void in_handler(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    stopped s;
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    run_stopped(&s, connect_first, NULL, OPENING, 1);
    require(pthread_kill(s.thread, SIGUSR1) == 0);
    let_go();
    join(&s);
}

/* No descriptor is free except the socket's, and then some are. */
static void without_descriptors(int is_made_before) {
    struct rlimit limit, none;
    int fd = is_made_before ? stream(&to) : dup(1);
    require(fd >= 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = (rlim_t)fd + 1;
    require(setrlimit(RLIMIT_NOFILE, &none) == 0);
    if (!is_made_before) {
        require(close(fd) == 0);
        require(stream(&to) == fd);
    }
    say("without descriptors: %s\n", outcome(connect(fd, &to.any, to.length)));
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    say("with descriptors: %s\n", outcome(connect(fd, &to.any, to.length)));
    say("%s\n", echo(fd));
}

int main(int count, char **arguments) {
    require(count == 4);
    start_tracer();
    to = numeric(arguments[2], arguments[3]);
    if (strcmp(arguments[1], "company") == 0) beside_first(1);
    if (strcmp(arguments[1], "child") == 0) beside_first(0);
    if (strcmp(arguments[1], "handler") == 0) in_handler();
    if (strcmp(arguments[1], "descriptors") == 0) without_descriptors(0);
    if (strcmp(arguments[1], "descriptors-later") == 0) without_descriptors(1);
}
