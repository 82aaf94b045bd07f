/* failing CASE CALL HOST PORT: makes that system call fail once, with ENOMEM: the first one, then the second one and so
 * on, each in a client of its own. Prints every fault: an end by a signal, a descriptor left open, an impossible error,
 * a direct connection.
 *
 * A parent answers in place of the kernel (seccomp_unotify(2)). The filter is installed by raw calls, which the
 * library does not see. */
#include "filter.h"
#include "raw.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>

enum { MOST = 60 };

static address target;

static int say_if_wrong(long result, int number, const char *call) {
    if (result >= 0) return 1;
    if (errno <= 0 || errno > 133) say("%d: %s says %d\n", number, call, errno);
    return 0;
}

/* The kernel's peer of every connected socket is the proxy. */
static void say_if_direct(int fd, int number) {
    address peer = {.length = sizeof peer.storage};
    if (raw(SYS_getpeername, fd, (long)&peer.any, (long)&peer.length, 0, 0) != 0) return;
    if (memcmp(&peer.any, &target.any, target.length) == 0) say("%d: around the proxy\n", number);
}

static void stream_client(int number) {
    int fd = socket(target.any.sa_family, SOCK_STREAM, 0);
    if (fd < 0) return;
    if (say_if_wrong(connect(fd, &target.any, target.length), number, "connect")) echo(fd);
    say_if_direct(fd, number);
    close(fd);
}

static void epoll_client(int number) {
    int fd = socket(target.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);
    struct epoll_event event = {EPOLLOUT, {0}};
    if (fd >= 0 && epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
        int result = connect(fd, &target.any, target.length);
        if (result == 0 || errno == EINPROGRESS) {
            while ((result = epoll_wait(epoll, &event, 1, -1)) < 0 && errno == EINTR) continue;
            int error = 0;
            if (result == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error}) == 0 && !error)
                echo(fd);
        } else {
            say_if_wrong(result, number, "connect");
        }
        say_if_direct(fd, number);
    }
    close(fd);
    close(epoll);
}

static void datagram_client(int number) {
    char bytes[8];
    int fd = socket(target.any.sa_family, SOCK_DGRAM, 0);
    struct timeval limit = {0, 200000};
    if (fd < 0) return;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (say_if_wrong(sendto(fd, "x", 1, 0, &target.any, target.length), number, "sendto")) recv(fd, bytes, 8, 0);
    close(fd);
    /* The control connection stays open for a moment. */
    struct pollfd nothing = {-1, 0, 0};
    poll(&nothing, 1, 100);
    poll(&nothing, 1, 1);
}

static void (*client)(int number);

static int listen_for(int number) {
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    long fd = raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, (long)&filter, 0, 0);
    require(fd >= 0);
    return (int)fd;
}

/* Starts or stops the counting of the calls. */
static void toggle_counting(int by) {
    char byte;
    require(write(by, "x", 1) == 1 && read(by, &byte, 1) == 1);
}

static void run_client(int call, int number, int by) {
    int listener = listen_for(call);
    pass_descriptor(by, listener);
    close(listener);
    int before = descriptor_count();
    toggle_counting(by);
    client(number);
    toggle_counting(by);
    int left = descriptor_count() - before;
    if (left != 0) say("%d: descriptors +%d\n", number, left);
    _exit(0);
}

/* Whether the program made the call that often. */
static int let_fail(int call, int number) {
    int pair[2], count = 0, is_counted = 0, status;
    char byte;
    require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        alarm(20);
        close(pair[0]);
        run_client(call, number, pair[1]);
    }
    close(pair[1]);
    int listener = take_descriptor(pair[0]);
    struct pollfd waiting[] = {{pair[0], POLLIN, 0}, {listener, POLLIN, 0}};
    for (;;) {
        if (poll(waiting, 2, -1) < 0) continue;
        if (waiting[0].revents) {
            if (read(pair[0], &byte, 1) != 1) break;
            is_counted = !is_counted;
            require(write(pair[0], &byte, 1) == 1);
        } else {
            struct seccomp_notif asked = {0};
            if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) continue;
            struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
            if (is_counted && ++count == number) answer.error = -ENOMEM, answer.flags = 0;
            ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
        }
    }
    close(listener);
    close(pair[0]);
    require(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) say("%d: ended by signal %d\n", number, WTERMSIG(status));
    return count >= number;
}

static const struct {
    const char *name;
    int number;
} calls[] = {
    {"getsockopt", SYS_getsockopt}, {"setsockopt", SYS_setsockopt}, {"fcntl", SYS_fcntl}, {"ppoll", SYS_ppoll},
    {"socket", SYS_socket}, {"connect", SYS_connect}, {"sendto", SYS_sendto}, {"recvfrom", SYS_recvfrom},
    {"mmap", SYS_mmap}, {"openat", SYS_openat}, {"epoll_ctl", SYS_epoll_ctl},
};

int main(int count, char **arguments) {
    require(count == 5);
    target = numeric(arguments[3], arguments[4]);
    if (strcmp(arguments[1], "stream") == 0) client = stream_client;
    if (strcmp(arguments[1], "epoll") == 0) client = epoll_client;
    if (strcmp(arguments[1], "datagrams") == 0) client = datagram_client;
    require(client);
    for (size_t index = 0; index < sizeof calls / sizeof *calls; index++) {
        if (strcmp(calls[index].name, arguments[2]) != 0) continue;
        int number = 1;
        while (number < MOST && let_fail(calls[index].number, number)) number++;
        say(number < MOST ? "done\n" : "it never ends\n");
        return 0;
    }
    return 99;
}
