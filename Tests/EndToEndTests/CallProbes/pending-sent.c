/* pending-sent CASE ADDRESS: passes a pending socket to another process (unix(7), SCM_RIGHTS), which existed before
 * anything was pending. */
#include "pending.h"

#include <sys/wait.h>

static int ends[2];
/* Whether a byte comes before the socket. */
static int is_announced;

static void say_of(int fd) {
    struct pollfd entry = {fd, POLLOUT, 0};
    say("poll %d", poll(&entry, 1, 0));
    say(" %s\n", event_names(entry.revents));
}

/* The other process: prints the state of the socket, and uses it. */
static _Noreturn void receive(void) {
    char byte;
    if (is_announced) require(read(ends[1], &byte, 1) == 1);
    int fd = take_descriptor(ends[1]);
    char bytes[4];
    say_of(fd);
    say("error %s\n", error_of(fd));
    say("peer %s\n", strcmp(peer_of(fd), text_of(&target.any)) == 0 ? "as connected to" : peer_of(fd));
    if (write(fd, "ping", 4) != 4) say("write fails\n");
    else if (read_all(fd, bytes, 4)) say("heard %.4s\n", bytes);
    fflush(NULL);
    _exit(0);
}

static pid_t receiver(void) {
    require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) receive();
    return child;
}

static void await_child(pid_t child) {
    int status;
    require(waitpid(child, &status, 0) == child && status == 0);
}

/* The far side continues only while the sender sleeps in sendmsg(2). */
static void send_and_land(connection *f, pid_t child) {
    pilot p = {.f = f};
    board(&p);
    pass_descriptor(ends[0], f->fd);
    leave(&p);
    char bytes[4];
    require(read_all(f->far, bytes, 4) && write(f->far, "pong", 4) == 4);
    await_child(child);
    say("said %.4s\n", bytes);
}

static void succeeds(void) {
    pid_t child = receiver();
    connection f = begin_pending(REACHED);
    send_and_land(&f, child);
}

/* The error is reported once, because it is one socket. */
static void fails(void) {
    pid_t child = receiver();
    connection f = begin_pending(REACHED);
    pilot p = {.f = &f, .code = 5};
    board(&p);
    pass_descriptor(ends[0], f.fd);
    leave(&p);
    await_child(child);
    say("error %s\n", error_of(f.fd));
}

static void do_nothing(int number) { (void)number; }

/* A signal ends the call, and the call sends nothing. */
static void interrupted(void) {
    struct sigaction action = {.sa_handler = do_nothing};
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    is_announced = 1;
    pid_t child = receiver();
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &f.fd, sizeof f.fd);
    struct iovec byte = {"x", 1};
    /* The first of the two messages has no descriptor, and is sent. */
    struct mmsghdr messages[2] = {
        {.msg_hdr = {.msg_iov = &byte, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control}},
    };
    for (int count = 0; count <= 2; count++) {
        pthread_t thread;
        require(pthread_create(&thread, NULL, interrupt_when_asleep, NULL) == 0);
        int sent = count == 0 ? (int)sendmsg(ends[0], &messages[1].msg_hdr, 0)
                              : sendmmsg(ends[0], &messages[2 - count], (unsigned)count, 0);
        say("%s of %d: %s\n", count == 0 ? "sendmsg" : "sendmmsg", count, sent == 1 ? "1" : outcome(sent));
        pthread_join(thread, NULL);
    }
    send_and_land(&f, child);
}

/* The kernel rejects invalid addresses. */
static void from_nowhere(void) {
    require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
    connection f = begin_pending(REACHED);
    struct msghdr message = {.msg_control = (void *)(uintptr_t)0x10000, .msg_controllen = CMSG_SPACE(sizeof(int))};
    say("sendmsg: %s\n", outcome(sendmsg(ends[0], &message, 0)));
    close(f.fd);
}

int main(int count, char **arguments) {
    require(count == 3);
    static const pending_case cases[] = {
        {"succeeds", succeeds}, {"fails", fails}, {"interrupted", interrupted}, {"from-nowhere", from_nowhere}, {0},
    };
    set_up(arguments);
    run_case(cases, arguments[1]);
    return 0;
}
