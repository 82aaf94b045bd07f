/* datagram-once NAME HOST PORT [CLIENT]: the library decides once about each datagram with an address. */
#include "datagram.h"

#include "raw.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>

/* The parts of the program. The tracer counts the calls of each part; a mark, which is a call without effect, starts
 * the next. */
static const char *const labels[] = {"", "question", "first", "by sendto", "by sendmsg", "by sendmmsg"};
enum { NONE, QUESTION, FIRST, BY_SENDTO, BY_SENDMSG, BY_SENDMMSG };

static void mark(int label) { raw(SYS_getppid, label, 0, 0, 0, 0); }

/* The library blocks signals when it enters its own stack, and unblocks them afterwards. After a direct datagram
 * from another address it asks for the socket's port, to know whether a datagram answers that one. */
static void count_calls(pid_t child) {
    int status, label = NONE, masks = 0, names = 0;
    require(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    require(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
    for (int signal = 0; ptrace(PTRACE_SYSCALL, child, 0, signal) == 0 && waitpid(child, &status, 0) == child;) {
        if (!WIFSTOPPED(status)) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
        int is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        signal = is_call ? 0 : WSTOPSIG(status);
        struct __ptrace_syscall_info info;
        if (!is_call || ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0) continue;
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY) continue;
        masks += info.entry.nr == SYS_rt_sigprocmask;
        names += info.entry.nr == SYS_getsockname;
        if (info.entry.nr != SYS_getppid) continue;
        if (label != NONE) say("%s:", labels[label]);
        /* The first datagram also opens the association. */
        if (label != NONE && label != FIRST) say(" entered %d", masks / 2);
        /* A datagram to a name server answers no client. */
        if (label != NONE && label != QUESTION) say(" asked %d", names);
        if (label != NONE) say("\n");
        label = (int)info.entry.args[0];
        masks = names = 0;
    }
    _exit(1);
}

/* A direct datagram comes from an address that a proxy leads to. */
static void hear(const char *host) {
    int server = open_datagrams(AF_INET), client = open_datagrams(AF_INET);
    address at = numeric("0.0.0.0", "0"), from = {.length = sizeof from.storage};
    char byte;
    require(bind(server, &at.any, at.length) == 0 && getsockname(server, &at.any, &at.length) == 0);
    address client_at = numeric(host, "0");
    require(bind(client, &client_at.any, client_at.length) == 0);
    at.v4.sin_addr = client_at.v4.sin_addr;
    require(raw(SYS_connect, client, (long)&at.any, at.length, 0, 0) == 0);
    require(raw(SYS_write, client, (long)"x", 1, 0, 0) == 1);
    require(recvfrom(server, &byte, 1, 0, &from.any, &from.length) == 1);
}

static void counted(char **arguments) {
    pid_t child = fork();
    require(child >= 0);
    if (child > 0) count_calls(child);
    require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    hear(arguments[0]);
    address name_server = numeric("192.0.2.53", "53");
    int asking = open_datagrams(AF_INET), fd = unconnected();
    struct iovec part = {"text", 4};
    struct mmsghdr messages[2];
    for (int index = 0; index < 2; index++)
        messages[index] = (struct mmsghdr){.msg_hdr = {
            .msg_name = &far.any, .msg_namelen = far.length, .msg_iov = &part, .msg_iovlen = 1}};
    require(raise(SIGSTOP) == 0);
    mark(QUESTION);
    require(sendto(asking, "text", 4, 0, &name_server.any, name_server.length) == 4);
    mark(FIRST);
    require(sendto(fd, "text", 4, 0, &far.any, far.length) == 4);
    mark(BY_SENDTO);
    require(sendto(fd, "text", 4, 0, &far.any, far.length) == 4);
    mark(BY_SENDMSG);
    require(sendmsg(fd, &messages[0].msg_hdr, 0) == 4);
    mark(BY_SENDMMSG);
    require(sendmmsg(fd, messages, 2, 0) == 2);
    mark(NONE);
}

/* Two datagrams go direct; the third is the socket's first relayed one. */
static void together(char **arguments unused) {
    address near = numeric("127.0.0.1", "1"), name_server = numeric("192.0.2.53", "53");
    int fd = open_datagrams(AF_INET);
    struct iovec part = {"text", 4};
    struct mmsghdr messages[3];
    for (int index = 0; index < 3; index++)
        messages[index] = (struct mmsghdr){.msg_hdr = {
            .msg_name = index < 2 ? &near.any : &name_server.any, .msg_namelen = near.length, .msg_iov = &part,
            .msg_iovlen = 1}};
    int sent = sendmmsg(fd, messages, 3, 0);
    say("sendmmsg: %d of lengths %u %u %u\n", sent, messages[0].msg_len, messages[1].msg_len, messages[2].msg_len);
}

SCENARIOS({"counted", counted}, {"together", together})
