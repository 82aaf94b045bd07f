/* datagram-exec NAME HOST PORT: sockets that a program inherits through execve(2). */
#include "datagram.h"

#include <spawn.h>

/* The next program continues with an unconnected socket and a connected one. */
struct sockets {
    int unconnected, connected;
};

static void ask(const char *what, int fd) {
    send_text(fd, what);
    receive("answer", fd, 64, 0);
}

static void ask_peer(const char *what, int fd) {
    require(send(fd, what, strlen(what), 0) == (ssize_t)strlen(what));
    receive("answer", fd, 64, 0);
}

static void ask_by(struct sockets sockets, const char *what) {
    ask(what, sockets.unconnected);
    ask_peer(what, sockets.connected);
    say("peer %s\n", strcmp(peer_of(sockets.connected), text_of(&far.any)) == 0 ? "as connected to" : "another");
}

static struct sockets open_both(void) {
    struct sockets sockets = {unconnected(), connected()};
    ask_by(sockets, "before");
    return sockets;
}

/* The arguments of this program for another scenario with two numbers. HOST and PORT come before the scenario's own
 * arguments. */
struct command {
    char numbers[2][12];
    char *words[7];
};

static void compose(struct command *command, const char *name, char **arguments, int first, int second) {
    snprintf(command->numbers[0], sizeof command->numbers[0], "%d", first);
    snprintf(command->numbers[1], sizeof command->numbers[1], "%d", second);
    char *words[] = {program_invocation_name, (char *)name, arguments[-2], arguments[-1], command->numbers[0],
                     command->numbers[1], NULL};
    memcpy(command->words, words, sizeof words);
}

static void execute(const char *name, char **arguments, int first, int second) {
    struct command command;
    compose(&command, name, arguments, first, second);
    execv("/proc/self/exe", command.words);
    require(!"executed");
}

static void reap(pid_t child) {
    int status;
    require(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ----- The next program ----- */

static void goes_on(char **arguments) {
    ask_by((struct sockets){atoi(arguments[0]), atoi(arguments[1])}, "executed");
}

static void reads_first(char **arguments) {
    receive("unread", atoi(arguments[0]), 64, 0);
    receive("unread", atoi(arguments[1]), 64, 0);
    goes_on(arguments);
}

static void closes_one(char **arguments) {
    require(close(atoi(arguments[0])) == 0);
    ask_peer("after the first's close", atoi(arguments[1]));
}

/* Closes the socket, and then the second descriptor, which lets the child that has the socket, too, continue. */
static void leaves_it(char **arguments) {
    require(close(atoi(arguments[0])) == 0 && close(atoi(arguments[1])) == 0);
    int status;
    require(wait(&status) > 0 && status == 0);
}

/* Continues when every process has closed the write end of the pipe whose read end is the second descriptor. */
static void goes_on_alone(char **arguments) {
    require(read(atoi(arguments[1]), &(char){0}, 1) == 0);
    /* Datagrams that are sent in the same tick are lost with the relay. */
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    ask_peer("alone", atoi(arguments[0]));
}

static void again(char **arguments) {
    int fd = atoi(arguments[0]), left = atoi(arguments[1]);
    ask_peer("again", fd);
    if (left > 0) execute("again", arguments, fd, left - 1);
}

/* ----- The first program ----- */

static void itself(char **arguments) {
    struct sockets sockets = open_both();
    send_text(sockets.unconnected, "is read later");
    require(send(sockets.connected, "is read later", 13, 0) == 13);
    wait_readable(sockets.unconnected);
    wait_readable(sockets.connected);
    execute("reads-first", arguments, sockets.unconnected, sockets.connected);
}

static void child(char **arguments) {
    struct sockets sockets = open_both();
    pid_t child = fork();
    if (child == 0) execute("goes-on", arguments, sockets.unconnected, sockets.connected);
    reap(child);
    ask_by(sockets, "the parent again");
}

static void spawned(char **arguments) {
    struct sockets sockets = open_both();
    struct command command;
    pid_t child;
    compose(&command, "goes-on", arguments, sockets.unconnected, sockets.connected);
    /* With an empty environment. */
    require(posix_spawn(&child, "/proc/self/exe", NULL, NULL, command.words, (char *[]){NULL}) == 0);
    reap(child);
    ask_by(sockets, "the parent again");
}

/* As under inetd: the executed program gets no address. */
static void standard_input(char **arguments unused) {
    int fd = connected();
    ask_peer("before", fd);
    require(send(fd, "a line to read\n", 15, 0) == 15);
    pid_t child = fork();
    if (child == 0) {
        require(dup2(fd, 0) == 0 && close(fd) == 0);
        execl("/usr/bin/head", "head", "-n", "1", NULL);
        _exit(1);
    }
    reap(child);
    child = fork();
    if (child == 0) {
        require(dup2(fd, 0) == 0 && close(fd) == 0);
        execl("/bin/sh", "sh", "-c", "echo written >&0", NULL);
        _exit(1);
    }
    reap(child);
    receive("answer", fd, 64, 0);
    ask_peer("the parent again", fd);
}

static void duplicate(char **arguments) {
    int fd = connected();
    ask_peer("before", fd);
    execute("closes-one", arguments, fd, dup(fd));
}

static void left_to_child(char **arguments) {
    int fd = connected(), pipes[2];
    require(pipe(pipes) == 0);
    ask_peer("before", fd);
    if (fork() == 0) {
        close(pipes[1]);
        require(read(pipes[0], &(char){0}, 1) == 0);
        ask_peer("the child", fd);
        _exit(0);
    }
    close(pipes[0]);
    execute("leaves-it", arguments, fd, pipes[1]);
}

/* The process that opened the association ends. */
static void orphan(char **arguments) {
    int held[2], done[2];
    require(pipe(held) == 0 && pipe(done) == 0);
    pid_t middle = fork();
    if (middle == 0) {
        int fd = connected();
        ask_peer("before", fd);
        if (fork() == 0) {
            close(held[1]);
            execute("goes-on-alone", arguments, fd, held[0]);
        }
        _exit(0);
    }
    close(done[1]);
    reap(middle);
    close(held[1]);
    require(read(done[0], &(char){0}, 1) == 0);
}

static void many_times(char **arguments) {
    int fd = connected();
    ask_peer("before", fd);
    execute("again", arguments, fd, 50);
}

SCENARIOS({"itself", itself}, {"child", child}, {"spawned", spawned}, {"stdin", standard_input},
          {"duplicate", duplicate}, {"left-to-child", left_to_child}, {"orphan", orphan}, {"many-times", many_times},
          {"goes-on", goes_on}, {"reads-first", reads_first}, {"closes-one", closes_one}, {"leaves-it", leaves_it},
          {"goes-on-alone", goes_on_alone}, {"again", again})
