/* datagram-checked NAME HOST PORT: the calls of programs that were compiled with checks. They have names of their
 * own where the compiler cannot determine the size. */
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 2
#include "datagram.h"

#include <sys/poll.h>

/* The compiler cannot know this size. */
static volatile size_t count = 40;

static void checked(char **arguments unused) {
    int fd = connected();
    char bytes[40];
    address from = {.length = sizeof from.storage};
    send_text(fd, "by read");
    report("__read_chk", read(fd, bytes, count), bytes, count, NULL, 0);
    send_text(fd, "by recv");
    report("__recv_chk", recv(fd, bytes, count, 0), bytes, count, NULL, 0);
    send_text(fd, "by recvfrom");
    report("__recvfrom_chk", recvfrom(fd, bytes, count, 0, &from.any, &from.length), bytes, count, &from, 0);
    struct pollfd descriptors[1] = {{fd, POLLIN, 0}};
    send_text(fd, "by poll");
    say("__poll_chk: %d\n", poll(descriptors, count / 40, -1));
    report("__recv_chk", recv(fd, bytes, count, MSG_PEEK), bytes, count, NULL, 0);
    report("__recv_chk", recv(fd, bytes, count, 0), bytes, count, NULL, 0);
}

/* More bytes than there is room for. */
static void overflow(char **arguments unused) {
    int fd = connected();
    send_text(fd, "too much");
    wait_readable(fd);
    pid_t child = fork();
    if (child == 0) {
        char bytes[40];
        close(2);
        count = 41;
        _exit((int)recv(fd, bytes, count, 0));
    }
    int status;
    require(waitpid(child, &status, 0) == child);
    say("%s\n", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "went on");
    receive("then", fd, 40, 0);
}

SCENARIOS({"checked", checked}, {"overflow", overflow})
