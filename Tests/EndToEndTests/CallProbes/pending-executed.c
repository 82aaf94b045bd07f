/* pending-executed CASE ADDRESS: starts a program that inherits the socket of a pending connection. */
#include "pending.h"

#include <spawn.h>
#include <sys/wait.h>

static const char *address_argument;

/* The other program's results for its socket. */
static void say_inherited(int fd) {
    struct pollfd entry = {fd, POLLOUT, 0};
    int ready = poll(&entry, 1, -1);
    say("poll %d %s\n", ready, event_names(entry.revents & POLLOUT));
    const char *error = error_of(fd);
    say("error %s\n", error);
    say("peer %s\n", strcmp(peer_of(fd), text_of(&target.any)) == 0 ? "as connected to" : peer_of(fd));
    char bytes[4];
    ssize_t written = write(fd, "ping", 4);
    if (written != 4) say("write %s\n", outcome(written));
    else if (read_all(fd, bytes, 4)) say("heard %.4s\n", bytes);
}

static char **arguments_for(int fd) {
    static char number[16];
    static char *arguments[6] = {"pending-executed", "inherited", NULL, number, NULL};
    snprintf(number, sizeof number, "%d", fd);
    arguments[2] = (char *)address_argument;
    return arguments;
}

/* The far side, in a process of its own: exec(3) ends all threads of the program. */
static void serve_elsewhere(int code) {
    if (fork() != 0) return;
    drive = NULL;
    int client = accept_client(listening);
    connection f = {-1, client, REACHED};
    if (!native) {
        await(&f, 3);
        answer_greeting(client);
        answer_request(client, code);
    }
    char bytes[4];
    if (code == 0 && read_all(client, bytes, 4)) require(write(client, "pong", 4) == 4);
    _exit(0);
}

static void replaced(int code) {
    serve_elsewhere(code);
    int fd = nonblocking();
    require(strcmp(connect_to_target(fd), "EINPROGRESS") == 0);
    execv("/proc/self/exe", arguments_for(fd));
    require(!"executed");
}

static void replaced_well(void) { replaced(0); }
static void replaced_ill(void) { replaced(5); }

static void await_program(pid_t child) {
    int status;
    require(waitpid(child, &status, 0) == child && status == 0);
}

/* The first program continues with the connection after it has started the other. */
static void finish_beside(connection *f, pid_t child) {
    await_program(child);
    establish(f, "");
    struct pollfd entry = {f->fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say_connected(f, "");
}

static void spawned(void) {
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    pid_t child;
    require(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments_for(f.fd), environ) == 0);
    finish_beside(&f, child);
}

static void forked(void) {
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    pid_t child = fork();
    if (child == 0) {
        execv("/proc/self/exe", arguments_for(f.fd));
        _exit(99);
    }
    finish_beside(&f, child);
}

/* A socket with FD_CLOEXEC does not delay the start of the program. */
static void closed(void) {
    connection f = begin_pending(REACHED);
    require(fcntl(f.fd, F_SETFD, FD_CLOEXEC) == 0);
    pid_t child;
    require(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments_for(f.fd), environ) == 0);
    finish_beside(&f, child);
}

static const pending_case cases[] = {
    {"own", replaced_well}, {"own-refused", replaced_ill}, {"spawned", spawned}, {"forked", forked}, {"closed", closed},
};

int main(int count, char **arguments) {
    address_argument = arguments[2];
    if (count == 4) {
        alarm(50);
        signal(SIGPIPE, SIG_IGN);
        target = numeric("203.0.113.10", "80");
        int fd = atoi(arguments[3]);
        if (fcntl(fd, F_GETFD) < 0) say("closed\n");
        else say_inherited(fd);
        return 0;
    }
    set_up(arguments);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++)
        if (strcmp(cases[index].name, arguments[1]) == 0) cases[index].run();
}
