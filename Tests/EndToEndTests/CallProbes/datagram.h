/* Shared code of the datagram probes. `datagram-* NAME HOST PORT ...` prints what it sees of the server at that
 * address, one of `DatagramTargets`. */
#pragma once

#include "probe.h"

#include <sys/uio.h>

/* The server. */
static address far;

unused static int open_datagrams(int domain) {
    int fd = socket(domain, SOCK_DGRAM, 0);
    require(fd >= 0);
    return fd;
}

/* A socket of the server's family that has sent nothing yet. */
unused static int unconnected(void) { return open_datagrams(far.any.sa_family); }

unused static int connected(void) {
    int fd = unconnected();
    require(connect(fd, &far.any, far.length) == 0);
    return fd;
}

unused static void send_text(int fd, const char *text) {
    require(sendto(fd, text, strlen(text), 0, &far.any, far.length) == (ssize_t)strlen(text));
}

/* "server" for the address that the program has sent to; another address in numbers. */
unused static const char *source_of(const address *from) {
    if (from->length == 0) return "nobody";
    if (from->length == far.length && memcmp(&from->storage, &far.storage, far.length) == 0) return "server";
    return text_of(&from->any);
}

/* Prints a line about the result of a receiving call: length, bytes, source, flags. */
unused static void report(const char *call, ssize_t result, const void *bytes, size_t room, const address *from,
                          int flags) {
    if (result < 0) {
        say("%s: %s\n", call, outcome(result));
        return;
    }
    int shown = (size_t)result < room ? (int)result : (int)room;
    say("%s: %zd \"%.*s\"%s%s%s%s\n", call, result, shown < 40 ? shown : 40, (const char *)bytes,
        from ? " from " : "", from ? source_of(from) : "", flags & MSG_TRUNC ? " MSG_TRUNC" : "",
        flags & MSG_CTRUNC ? " MSG_CTRUNC" : "");
}

/* Receives by recvmsg(2) into one buffer, and prints the datagram. */
unused static ssize_t receive(const char *what, int fd, size_t room, int flags) {
    static char bytes[70000];
    require(room <= sizeof bytes);
    memset(bytes, '-', sizeof bytes);
    address from = {.length = sizeof from.storage};
    struct iovec part = {bytes, room};
    struct msghdr message = {.msg_name = &from.any, .msg_namelen = from.length, .msg_iov = &part, .msg_iovlen = 1};
    ssize_t result = recvmsg(fd, &message, flags);
    from.length = message.msg_namelen;
    report(what, result, bytes, room, &from, message.msg_flags);
    return result;
}

/* The next answer belongs to this question; no earlier one is left. */
unused static void expect_nothing_more(int fd) {
    send_text(fd, "the end");
    receive("then", fd, 100, 0);
}

unused static void wait_readable(int fd) {
    struct pollfd waiting = {fd, POLLIN, 0};
    int ready;
    do ready = poll(&waiting, 1, -1);
    while (ready < 0 && errno == EINTR);
    require(ready == 1 && waiting.revents == POLLIN);
}

struct scenario {
    const char *name;
    void (*run)(char **arguments);
};

/* `main` of a probe: runs the scenario NAME with the arguments after HOST and PORT. */
unused static int run_scenario(const struct scenario *scenarios, size_t count, int arguments_count, char **arguments) {
    require(arguments_count >= 4);
    far = numeric(arguments[2], arguments[3]);
    for (size_t index = 0; index < count; index++) {
        if (strcmp(scenarios[index].name, arguments[1]) != 0) continue;
        scenarios[index].run(arguments + 4);
        return 0;
    }
    say("no scenario %s\n", arguments[1]);
    return 99;
}

#define SCENARIOS(...)                                                                        \
    int main(int count, char **arguments) {                                                   \
        static const struct scenario scenarios[] = {__VA_ARGS__};                             \
        return run_scenario(scenarios, sizeof scenarios / sizeof *scenarios, count, arguments); \
    }
