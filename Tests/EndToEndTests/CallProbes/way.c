/* way CASE HOST PORT: prints what a program sees of a socket that is bound to the device `lo`, which does not lead
 * to the proxy, or whose packets are marked. The probe has no capabilities, like most programs, so it cannot remove
 * the binding to a device. HOST `here`: the target is the probe itself, to which that device leads. */
#include "probe.h"
#include "raw.h"

#include <linux/capability.h>
#include <net/if.h>
#include <sys/epoll.h>

static address target;

static void *serve(void *client) {
    char bytes[100];
    for (ssize_t length; (length = read((int)(long)client, bytes, sizeof bytes)) > 0;)
        require(write((int)(long)client, bytes, (size_t)length) == length);
    return NULL;
}

static void *serve_all(void *listening) {
    for (;;) {
        pthread_t thread;
        long client = accept_client((int)(long)listening);
        require(pthread_create(&thread, NULL, serve, (void *)client) == 0);
    }
}

static void find_target(char **arguments) {
    if (strcmp(arguments[2], "here") != 0) {
        target = numeric(arguments[2], arguments[3]);
        return;
    }
    pthread_t thread;
    long listening = listener("127.0.0.1", "0", &target);
    require(pthread_create(&thread, NULL, serve_all, (void *)listening) == 0);
}

static void drop_rights(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    require(syscall(SYS_capset, &header, none) == 0);
}

static int make(int flags) {
    int fd = socket(target.any.sa_family, SOCK_STREAM | flags, 0);
    require(fd >= 0);
    return fd;
}

/* When the probe is the target, it accepts in order. So when this connection gets an answer, the ones before it are
 * accepted and known to be the probe's own. */
static void await_server(void) {
    int last = make(0);
    require(connect(last, &target.any, target.length) == 0 && strcmp(echo(last), "echoed") == 0);
}

static int number_of(int fd, int name) {
    int value = -1;
    require(getsockopt(fd, SOL_SOCKET, name, &value, &(socklen_t){sizeof value}) == 0);
    return value;
}

static const char *bind_to_device(int fd, const char *name) {
    return outcome(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1));
}

static void say_way(int fd) {
    char name[IFNAMSIZ] = "?";
    socklen_t length = sizeof name;
    require(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length) == 0);
    if (length == 0) name[0] = 0;
    say("device '%s', %d bytes, number %d\n", name, (int)length, number_of(fd, SO_BINDTOIFINDEX));
    char few[2];
    say("in two bytes: %s\n", outcome(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, few, &(socklen_t){sizeof few})));
}

static void say_peer(int fd) {
    say("peer %s\n", strcmp(peer_of(fd), text_of(&target.any)) == 0 ? "as connected to" : peer_of(fd));
}

static const char *link_up(int fd) {
    const char *result = outcome(connect(fd, &target.any, target.length));
    if (strcmp(result, "EINPROGRESS") != 0) return result;
    struct pollfd waiting = {fd, POLLOUT, 0};
    require(poll(&waiting, 1, -1) == 1);
    int error = number_of(fd, SO_ERROR);
    return error ? strerrorname_np(error) : "0";
}

/* Bound by the device's name or number; the binding stays. */
static void device(int flags) {
    for (int by_number = 0; by_number < 2; by_number++) {
        int fd = make(flags), lo = 1;
        say("bind %s\n", by_number ? outcome(setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &lo, sizeof lo))
                                   : bind_to_device(fd, "lo"));
        int copy = dup(fd);
        say("connect %s\n", link_up(fd));
        say_way(fd);
        say_way(copy);
        say("free it %s\n", bind_to_device(fd, ""));
        say("bind it anew %s\n", bind_to_device(fd, "none"));
        say_way(fd);
        say_peer(fd);
        say("%s %s\n", echo(fd), echo(copy));
    }
}

static void blocking(void) { device(0); }
static void nonblocking(void) { device(SOCK_NONBLOCK); }

/* The socket was bound through another descriptor, which existed before. */
static void by_another_number(void) {
    int fd = make(0), copy = dup(fd);
    say("bind %s\n", bind_to_device(copy, "lo"));
    say("connect %s\n", link_up(fd));
    say_way(fd);
    say_peer(fd);
}

/* Bound by the program that was executed before. */
static void inherited(void) {
    say("connect %s\n", link_up(3));
    say_way(3);
    say_peer(3);
    say("%s\n", echo(3));
}

/* The socket keeps its port, which no other socket may have. */
static void bound(void) {
    int fd = make(0);
    address any = numeric(target.any.sa_family == AF_INET ? "0.0.0.0" : "::", "0");
    address before = {.length = sizeof before.storage}, after = before;
    require(bind(fd, &any.any, any.length) == 0 && getsockname(fd, &before.any, &before.length) == 0);
    say("bind %s\n", bind_to_device(fd, "lo"));
    say("connect %s\n", link_up(fd));
    require(getsockname(fd, &after.any, &after.length) == 0);
    say("%s port\n", after.v4.sin_port == before.v4.sin_port ? "the same" : "another");
    int reuse = -1;
    require(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, &(socklen_t){sizeof reuse}) == 0);
    say("SO_REUSEADDR %d\n", reuse);
    say_peer(fd);
}

/* The kernel's value. */
static int kernels(int fd, int name) {
    int value = -1;
    require(raw(SYS_getsockopt, fd, SOL_SOCKET, name, (long)&value, (long)&(socklen_t){sizeof value}) == 0);
    return value;
}

/* After a refusal the program connects directly: there the binding counts. */
static void directly(void) {
    address here;
    int listening = listener(target.any.sa_family == AF_INET ? "127.0.0.1" : "::1", "0", &here), fd = make(0);
    say("bind %s\n", bind_to_device(fd, "lo"));
    say("connect %s\n", link_up(fd));
    say_way(fd);
    say("directly %s\n", outcome(connect(fd, &here.any, here.length)));
    close(accept_client(listening));
    say_way(fd);
    say("the kernel's %d\n", kernels(fd, SO_BINDTOIFINDEX));
}

/* An epoll has watched the socket since before. */
static void watched(void) {
    int fd = make(SOCK_NONBLOCK), epoll = epoll_create1(0);
    struct epoll_event event = {EPOLLOUT | EPOLLET, {.u64 = 7}};
    say("bind %s\n", bind_to_device(fd, "lo"));
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    require(epoll_wait(epoll, &event, 1, 0) == 1);
    say("connect %s\n", outcome(connect(fd, &target.any, target.length)));
    require(epoll_wait(epoll, &event, 1, -1) == 1);
    say("told %x %d, error %d\n", event.events, (int)event.data.u64, number_of(fd, SO_ERROR));
    say_way(fd);
    say_peer(fd);
}

/* Bound while it is connecting. */
static void pending(void) {
    for (int by_number = 0; by_number < 2; by_number++) {
        int fd = make(SOCK_NONBLOCK), copy = dup(fd), lo = 1;
        say("connect %s\n", outcome(connect(fd, &target.any, target.length)));
        say("bind it wrongly %s\n", bind_to_device(fd, "none"));
        say("no number %s\n", outcome(setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &lo, 2)));
        say("mark %s\n", outcome(setsockopt(fd, SOL_SOCKET, SO_MARK, &lo, sizeof lo)));
        say("bind %s\n", by_number ? outcome(setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &lo, sizeof lo))
                                    : bind_to_device(fd, "lo"));
        say_way(fd);
        say_way(copy);
        say("free it %s\n", bind_to_device(fd, ""));
        struct pollfd waiting = {fd, POLLOUT, 0};
        require(poll(&waiting, 1, -1) == 1);
        say("error %d\n", number_of(fd, SO_ERROR));
        say_way(fd);
        say_peer(fd);
        say("%s %s\n", echo(fd), echo(copy));
    }
}

/* Bound when it is connected. */
static void connected(void) {
    int fd = make(0);
    say("connect %s\n", link_up(fd));
    say("bind %s\n", bind_to_device(fd, "lo"));
    say_way(fd);
    say("free it %s\n", bind_to_device(fd, ""));
    say_peer(fd);
    say("%s\n", echo(fd));
}

/* Bound while it is connecting; then connected directly, by the port of its own. */
static void directly_after(void) {
    address here;
    int listening = listener(target.any.sa_family == AF_INET ? "127.0.0.1" : "::1", "0", &here);
    address before, after = {.length = sizeof after.storage};
    /* A port that the kernel chose would be free after the failure. */
    close(listener(target.any.sa_family == AF_INET ? "0.0.0.0" : "::", "0", &before));
    int fd = make(SOCK_NONBLOCK);
    require(bind(fd, &before.any, before.length) == 0);
    say("connect %s\n", outcome(connect(fd, &target.any, target.length)));
    say("bind %s\n", bind_to_device(fd, "lo"));
    struct pollfd waiting = {fd, POLLOUT, 0};
    require(poll(&waiting, 1, -1) == 1);
    say("error %s\n", strerrorname_np(number_of(fd, SO_ERROR)));
    say_way(fd);
    /* The kernel returns ECONNABORTED once. */
    for (int turn = 0; connect(fd, &here.any, here.length) != 0 && errno != EINPROGRESS; turn++)
        require(turn == 0 && errno == ECONNABORTED);
    close(accept_client(listening));
    say_way(fd);
    say("the kernel's %d\n", kernels(fd, SO_BINDTOIFINDEX));
    require(getsockname(fd, &after.any, &after.length) == 0);
    say("%s port\n", after.v4.sin_port == before.v4.sin_port ? "the same" : "another");
}

/* Set while the program had the capability. */
static int marked;

static void mark(void) {
    say("connect %s\n", link_up(marked));
    say("mark %d\n", number_of(marked, SO_MARK));
    int other = 8;
    say("another %s\n", outcome(setsockopt(marked, SOL_SOCKET, SO_MARK, &other, sizeof other)));
    say("mark %d\n", number_of(marked, SO_MARK));
    say_peer(marked);
}

/* The kernel marks no packet to the proxy. */
static void unmarked(void) {
    say("connect %s\n", link_up(marked));
    say("the kernel's %d\n", kernels(marked, SO_MARK));
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"blocking", blocking}, {"nonblocking", nonblocking}, {"by-another-number", by_another_number},
    {"inherited", inherited}, {"bound", bound}, {"directly", directly}, {"watched", watched}, {"mark", mark},
    {"unmarked", unmarked}, {"pending", pending}, {"connected", connected}, {"directly-after", directly_after}, {0},
};

int main(int count, char **arguments) {
    require(count >= 4);
    alarm(50);
    if (count == 4 && strcmp(arguments[1], "inherited") == 0) {
        /* Before there is a server, which would have descriptor 3. */
        target = numeric(strcmp(arguments[2], "here") == 0 ? "127.0.0.1" : arguments[2], "0");
        make(0);
        int fd = make(0);
        require(strcmp(bind_to_device(fd, "lo"), "0") == 0 && dup2(fd, 3) == 3);
        execl("/proc/self/exe", arguments[0], arguments[1], arguments[2], arguments[3], "again", NULL);
        require(!"executed");
    }
    find_target(arguments);
    marked = make(0);
    require(setsockopt(marked, SOL_SOCKET, SO_MARK, &(int){7}, sizeof(int)) == 0);
    drop_rights();
    for (int index = 0; cases[index].name; index++)
        if (strcmp(cases[index].name, arguments[1]) == 0) {
            cases[index].run();
            if (strcmp(arguments[2], "here") == 0) await_server();
            return 0;
        }
    require(!"a case of this probe");
}
