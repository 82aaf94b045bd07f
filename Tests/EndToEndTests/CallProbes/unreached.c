/* A program that the library is not loaded into: this file is compiled statically, with the marks that Go leaves in a
 * program ("unreached-static", "unreached-noted", "unreached-built"), and dynamically. It makes raw system calls.
 *
 * unreached facts ARGUMENT... : prints its start conditions and the sockets that it can make; exits with 7
 * unreached socket FD HOST PORT: prints what it can do with an inherited socket
 * unreached execute PROGRAM ARGUMENT...: executes another program, as a launcher does */
#include "probe.h"
#include "raw.h"

#include <sys/prctl.h>

#ifdef WITH_NOTE
__attribute__((section(".note.go.buildid"), used, aligned(4))) static const struct {
    unsigned name_size, size, type;
    char name[4], identifier[4];
} note = {4, 4, 4, "Go\0", "id\0"};
#endif
#ifdef WITH_SECTION
__attribute__((section(".go.buildinfo"), used)) static char information[] = "\xff Go buildinf:";
#endif

static const char *socket_of(int family, int type) {
    long fd = raw(SYS_socket, family, type, 0, 0, 0);
    if (fd >= 0) raw(SYS_close, fd, 0, 0, 0, 0);
    return fd >= 0 ? "0" : strerrorname_np((int)-fd);
}

static const char *result_of(long result) {
    return result >= 0 ? "0" : strerrorname_np((int)-result);
}

static void facts(char **arguments) {
    for (; *arguments; arguments++) say("argument %s\n", *arguments);
    say("KEPT %s\n", getenv("KEPT") ? getenv("KEPT") : "(not set)");
    say("directory %s\n", access("in-its-directory", F_OK) == 0 ? "as told" : "another");
    say("descriptor 8 %s, 9 %s\n", outcome(fcntl(8, F_GETFD)), outcome(fcntl(9, F_GETFD)));
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    say("SIGUSR1 %s\n", sigismember(&blocked, SIGUSR1) ? "blocked" : "free");
    int death_signal = 0;
    prctl(PR_GET_PDEATHSIG, &death_signal);
    say("signal of the parent's death %d\n", death_signal);
    say("unix %s, netlink %s\n", socket_of(AF_UNIX, SOCK_STREAM), socket_of(AF_NETLINK, SOCK_RAW));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un nobody = {AF_UNIX, "\0nobody listens here"};
    say("connect to a Unix socket %s\n", outcome(connect(fd, (struct sockaddr *)&nobody, sizeof nobody)));
    say("inet %s, inet6 %s, packet %s\n", socket_of(AF_INET, SOCK_STREAM), socket_of(AF_INET6, SOCK_DGRAM),
        socket_of(AF_PACKET, SOCK_RAW));
    say("io_uring %s\n", result_of(raw(425 /* io_uring_setup */, 1, 0, 0, 0, 0)));
    say("no new privileges %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void use(int fd, const char *host, const char *port) {
    address to = numeric(host, port);
    struct iovec data = {"x", 1};
    struct msghdr message = {.msg_name = &to.any, .msg_namelen = to.length, .msg_iov = &data, .msg_iovlen = 1};
    struct mmsghdr messages[1] = {{.msg_hdr = message}};
    int type = 0;
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof type});
    if (type == SOCK_STREAM) say("%s\n", echo(fd));
    say("connect %s\n", outcome(connect(fd, &to.any, to.length)));
    say("sendto %s\n", outcome(sendto(fd, "x", 1, MSG_NOSIGNAL, &to.any, to.length)));
    say("sendmsg %s\n", outcome(sendmsg(fd, &message, MSG_NOSIGNAL)));
    say("sendmmsg %s\n", outcome(sendmmsg(fd, messages, 1, MSG_NOSIGNAL)));
}

int main(int count, char **arguments) {
    require(count >= 2);
    if (strcmp(arguments[1], "facts") == 0) {
        facts(arguments + 2);
        return 7;
    }
    if (strcmp(arguments[1], "socket") == 0) use(atoi(arguments[2]), arguments[3], arguments[4]);
    if (strcmp(arguments[1], "execute") == 0) {
        execv(arguments[2], arguments + 2);
        say("not executed: %s\n", outcome(-1));
    }
}
