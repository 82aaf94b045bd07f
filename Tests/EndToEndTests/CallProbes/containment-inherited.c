/* containment-inherited HOST PORT: sockets that were made without the library. The probe, run without the library,
 * makes them, and starts itself with the library that PROBE_LIBRARY names. */
#include "probe.h"

enum { FIRST = 50 };

static const struct kind {
    const char *name;
    int domain, type, protocol;
} kinds[] = {
    {"raw ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP},
    {"raw", AF_INET, SOCK_RAW, IPPROTO_RAW},
    {"raw6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
    {"UDP-Lite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
    {"MPTCP", AF_INET, SOCK_STREAM, IPPROTO_MPTCP},
};
enum { KINDS = sizeof kinds / sizeof *kinds, PASSED_ON = FIRST + KINDS };

static void pass_on(int by, int fd) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof fd)];
    } control = {.header = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec data = {"x", 1};
    struct msghdr message = {NULL, 0, &data, 1, &control, sizeof control, 0};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    require(sendmsg(by, &message, 0) == 1);
}

static int passed_on(int by) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    int fd;
    struct iovec data = {&byte, 1};
    struct msghdr message = {NULL, 0, &data, 1, &control, sizeof control, 0};
    require(recvmsg(by, &message, 0) == 1);
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return own(fd);
}

static void send_by(const char *what, int fd, const address *to) {
    /* An echo request; on a raw socket of any protocol it is not even an IP packet. */
    char bytes[28] = {8};
    struct iovec data = {bytes, sizeof bytes};
    struct msghdr message = {(void *)&to->any, to->length, &data, 1, NULL, 0, 0};
    struct mmsghdr messages[1] = {{.msg_hdr = message}};
    say("%s: sendto %s", what, outcome(sendto(fd, bytes, sizeof bytes, 0, &to->any, to->length)));
    say(", sendmsg %s", outcome(sendmsg(fd, &message, 0)));
    say(", sendmmsg %s", outcome(sendmmsg(fd, messages, 1, 0)));
    say(", by number %s", outcome(syscall(SYS_sendto, fd, bytes, sizeof bytes, 0, &to->any, to->length)));
    say(", connect %s\n", outcome(connect(fd, &to->any, to->length)));
}

int main(int count, char **arguments) {
    require(count == 3);
    const char *library = getenv("PROBE_LIBRARY");
    if (library) {
        int pair[2];
        for (int index = 0; index < KINDS; index++) {
            int fd = socket(kinds[index].domain, kinds[index].type, kinds[index].protocol);
            require(fd >= 0 && dup2(fd, FIRST + index) >= 0 && close(fd) == 0);
        }
        require(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
        pass_on(pair[1], FIRST);
        require(dup2(pair[0], PASSED_ON) >= 0);
        setenv("LD_PRELOAD", library, 1);
        unsetenv("PROBE_LIBRARY");
        execv("/proc/self/exe", arguments);
        require(0);
    }
    address to = numeric(arguments[1], arguments[2]), to6 = numeric("2001:db8::10", arguments[2]);
    for (int index = 0; index < KINDS; index++) {
        int fd = FIRST + index;
        const address *target = kinds[index].domain == AF_INET6 ? &to6 : &to;
        /* The port in a raw socket's address has no meaning. */
        if (kinds[index].protocol != IPPROTO_MPTCP) {
            send_by(kinds[index].name, fd, target);
        } else {
            say("%s: %s\n", kinds[index].name, outcome(connect(fd, &target->any, target->length)));
            say("%s: %s\n", kinds[index].name, echo(fd));
        }
    }
    send_by("passed on", passed_on(PASSED_ON), &to);
}
