/* family CASE HOST PORT [PATH]: prints what a program sees of its socket when the proxy has another address family.
 * A line for each fact; the cases are the functions at the end. */
#include "probe.h"

#include <netinet/ip.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/time.h>

static address target;
static char **argument;

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) == 0 ? value : -errno;
}

static const char *set(int fd, int level, int name, int value) {
    return outcome(setsockopt(fd, level, name, &value, sizeof value));
}

/* The result of getsockname(2), without a port that the kernel chose. */
static const char *name_of(int fd) {
    static char text[100];
    address name = {.length = sizeof name.storage};
    require(getsockname(fd, &name.any, &name.length) == 0);
    snprintf(text, sizeof text, "%s, %d bytes", text_of(&name.any), (int)name.length);
    return text;
}

static int make(int flags) {
    int fd = socket(target.any.sa_family, SOCK_STREAM | flags, 0);
    require(fd >= 0);
    return fd;
}

static const char *link_up(int fd) {
    return outcome(connect(fd, &target.any, target.length));
}

/* Waits by poll, and returns the result as text. */
static const char *await(int fd) {
    struct pollfd waiting = {fd, POLLOUT, 0};
    require(poll(&waiting, 1, 10000) == 1);
    int error = option(fd, SOL_SOCKET, SO_ERROR);
    return error ? strerrorname_np(error) : "0";
}

static void say_peer(int fd) {
    say("peer %s\n", strcmp(peer_of(fd), text_of(&target.any)) == 0 ? "as connected to" : peer_of(fd));
}

/* ----- Answers as the kernel gives them ----- */

static void identity(void) {
    int fd = make(0);
    say("connect %s\n", link_up(fd));
    say("domain %d protocol %d type %d\n", option(fd, SOL_SOCKET, SO_DOMAIN) == target.any.sa_family,
        option(fd, SOL_SOCKET, SO_PROTOCOL), option(fd, SOL_SOCKET, SO_TYPE));
    address name = {.length = sizeof name.storage};
    require(getsockname(fd, &name.any, &name.length) == 0);
    say("name of its family %d, %d bytes\n", name.any.sa_family == target.any.sa_family,
        name.length == target.length);
    char few[4] = "....";
    socklen_t room = 2;
    require(getsockname(fd, (void *)few, &room) == 0);
    say("name cut %d %d\n", room == target.length, few[2] == '.');
    say_peer(fd);
    say("%s\n", echo(fd));
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    require(write(fd, "x", 1) == 1);
    char byte;
    say("from %zd, %d bytes\n", recvfrom(fd, &byte, 1, MSG_WAITALL, (void *)&from, &length), (int)length);
    say("to %zd\n", sendto(fd, "x", 1, 0, &target.any, target.length));
    require(read_all(fd, &byte, 1));
    say("again %s\n", link_up(fd));
    say("half closed %s, ", outcome(shutdown(fd, SHUT_WR)));
    say("then %s\n", outcome(write(fd, "x", 1)));
}

/* ----- Options ----- */

static const struct {
    int level, name, value;
    const char *text;
} settings[] = {
    {IPPROTO_TCP, TCP_NODELAY, 1, "NODELAY"},     {IPPROTO_TCP, TCP_KEEPIDLE, 33, "KEEPIDLE"},
    {IPPROTO_TCP, TCP_KEEPINTVL, 44, "KEEPINTVL"}, {IPPROTO_TCP, TCP_KEEPCNT, 5, "KEEPCNT"},
    {IPPROTO_TCP, TCP_CORK, 1, "CORK"},           {IPPROTO_TCP, TCP_USER_TIMEOUT, 54321, "USER_TIMEOUT"},
    {IPPROTO_TCP, TCP_QUICKACK, 0, "QUICKACK"},   {IPPROTO_IP, IP_TOS, IPTOS_LOWDELAY, "TOS"},
    {SOL_SOCKET, SO_KEEPALIVE, 1, "KEEPALIVE"},   {SOL_SOCKET, SO_RCVBUF, 70000, "RCVBUF"},
    {SOL_SOCKET, SO_SNDBUF, 80000, "SNDBUF"},     {SOL_SOCKET, SO_REUSEADDR, 1, "REUSEADDR"},
    {SOL_SOCKET, SO_OOBINLINE, 1, "OOBINLINE"},   {SOL_SOCKET, SO_PRIORITY, 4, "PRIORITY"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static void say_settings(int fd) {
    for (int index = 0; index < SETTINGS; index++) {
        /* The kernel changes these options itself during a connection. */
        if (settings[index].name == TCP_QUICKACK && settings[index].level == IPPROTO_TCP) continue;
        say("%s %d\n", settings[index].text, option(fd, settings[index].level, settings[index].name));
    }
    struct linger linger = {0, 0};
    require(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &(socklen_t){sizeof linger}) == 0);
    struct timeval time;
    require(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &(socklen_t){sizeof time}) == 0);
    say("LINGER %d %d, RCVTIMEO %ld.%06ld\n", linger.l_onoff, linger.l_linger, time.tv_sec, time.tv_usec);
    struct {
        int type, process;
    } owner;
    require(fcntl(fd, F_GETOWN_EX, &owner) == 0);
    say("flags %x, descriptor %d, owner %d, signal %d\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD),
        owner.process == getpid(), fcntl(fd, F_GETSIG));
}

static void change_settings(int fd) {
    for (int index = 0; index < SETTINGS; index++)
        require(strcmp(set(fd, settings[index].level, settings[index].name, settings[index].value), "0") == 0);
    require(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 7}, sizeof(struct linger)) == 0);
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){9, 500000}, sizeof(struct timeval)) == 0);
    require(fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_SETSIG, SIGURG) == 0);
}

/* Options that the program set before keep their values; the others have their defaults. */
static void options(void) {
    int changed = make(SOCK_CLOEXEC), untouched = make(0);
    change_settings(changed);
    say("connect %s %s\n", link_up(changed), link_up(untouched));
    say_settings(changed);
    say("untouched: NODELAY %d KEEPIDLE %d TOS %d KEEPALIVE %d REUSEADDR %d\n",
        option(untouched, IPPROTO_TCP, TCP_NODELAY), option(untouched, IPPROTO_TCP, TCP_KEEPIDLE),
        option(untouched, IPPROTO_IP, IP_TOS), option(untouched, SOL_SOCKET, SO_KEEPALIVE),
        option(untouched, SOL_SOCKET, SO_REUSEADDR));
    say("set NODELAY %s,", set(untouched, IPPROTO_TCP, TCP_NODELAY, 1));
    say(" KEEPCNT %s,", set(untouched, IPPROTO_TCP, TCP_KEEPCNT, 6));
    say(" too large %s,", set(untouched, IPPROTO_TCP, TCP_KEEPCNT, 1000));
    say(" TOS %s\n", set(untouched, IPPROTO_IP, IP_TOS, IPTOS_THROUGHPUT));
    say("get NODELAY %d KEEPCNT %d TOS %d\n", option(untouched, IPPROTO_TCP, TCP_NODELAY),
        option(untouched, IPPROTO_TCP, TCP_KEEPCNT), option(untouched, IPPROTO_IP, IP_TOS));
    int room = 7;
    say("get nowhere %s", outcome(getsockopt(untouched, IPPROTO_TCP, TCP_NODELAY, NULL, (socklen_t *)&room)));
    say(", set nowhere %s\n", outcome(setsockopt(untouched, IPPROTO_TCP, TCP_NODELAY, NULL, 4)));
    say("%s %s\n", echo(changed), echo(untouched));
}

/* ----- Descriptors and processes ----- */

/* Every descriptor refers to the same socket; FD_CLOEXEC stays separate for each. */
static void duplicates(void) {
    int fd = make(SOCK_CLOEXEC), copy = dup(fd), high = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    int before = descriptor_count();
    say("connect %s\n", link_up(copy));
    say("descriptors %+d, close on exec %d %d %d\n", descriptor_count() - before, fcntl(fd, F_GETFD),
        fcntl(copy, F_GETFD), fcntl(high, F_GETFD));
    say("%s %s %s\n", echo(fd), echo(copy), echo(high));
    int late = dup(copy);
    close(fd);
    close(copy);
    say("domain %d ", option(late, SOL_SOCKET, SO_DOMAIN) == target.any.sa_family);
    say_peer(late);
    say("NODELAY %s, ", set(high, IPPROTO_TCP, TCP_NODELAY, 1));
    say("%d\n", option(late, IPPROTO_TCP, TCP_NODELAY));
    close(high);
    fd = make(0);
    say("another by the same number %d\n", option(fd, SOL_SOCKET, SO_DOMAIN) == target.any.sa_family);
}

static void say_inherited(int fd) {
    say("domain %d NODELAY %d ", option(fd, SOL_SOCKET, SO_DOMAIN) == target.any.sa_family,
        option(fd, IPPROTO_TCP, TCP_NODELAY));
    say_peer(fd);
    say("%s\n", echo(fd));
}

static void children(void) {
    int fd = make(0);
    say("connect %s, NODELAY %s\n", link_up(fd), set(fd, IPPROTO_TCP, TCP_NODELAY, 1));
    pid_t child = fork();
    if (child == 0) {
        say_inherited(fd);
        char number[12];
        snprintf(number, sizeof number, "%d", fd);
        execl("/proc/self/exe", "family", "inherited", argument[2], argument[3], number, NULL);
        _exit(98);
    }
    int status;
    require(waitpid(child, &status, 0) == child);
    say("child %d\n", status);
    say_inherited(fd);
}

static void inherited(void) {
    say_inherited(atoi(argument[4]));
}

/* ----- Readiness ----- */

static int watched_epoll(int fd, uint32_t events, uint64_t data) {
    int epoll = epoll_create1(0);
    struct epoll_event event = {events, {.u64 = data}};
    require(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    return epoll;
}

static void say_events(const char *when, int epoll, int timeout) {
    struct epoll_event events[4];
    int count = epoll_wait(epoll, events, 4, timeout);
    say("%s %d", when, count);
    for (int index = 0; index < count; index++) say(" %x:%d", events[index].events, (int)events[index].data.u64);
    say("\n");
}

/* Registered before and after connect, in each mode. */
static void epolls(void) {
    static const struct {
        uint32_t events;
        const char *text;
    } ways[] = {{EPOLLOUT, "level"}, {EPOLLIN | EPOLLOUT | EPOLLET, "edge"}, {EPOLLOUT | EPOLLONESHOT, "once"}};
    for (int way = 0; way < 3; way++) {
        for (int is_before = 0; is_before < 2; is_before++) {
            int fd = make(SOCK_NONBLOCK), epoll;
            if (is_before) {
                epoll = watched_epoll(fd, ways[way].events, 7);
                say_events("unconnected", epoll, 0);
                if (ways[way].events & EPOLLONESHOT) {
                    struct epoll_event event = {ways[way].events, {.u64 = 8}};
                    require(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0);
                }
            }
            say("%s %s: %s\n", ways[way].text, is_before ? "before" : "after", link_up(fd));
            if (!is_before) epoll = watched_epoll(fd, ways[way].events, 7);
            say_events("connected", epoll, 10000);
            say_events("then", epoll, 0);
            say("error %d ", option(fd, SOL_SOCKET, SO_ERROR));
            say_peer(fd);
            struct epoll_event event = {EPOLLIN, {.u64 = 9}};
            require(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0);
            require(write(fd, "x", 1) == 1);
            say_events("readable", epoll, 10000);
            say("removed %s\n", outcome(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL)));
            close(fd);
            close(epoll);
        }
    }
}

/* With another descriptor, with two epolls, and with a one-shot registration after its event. */
static void epolls_shared(void) {
    int fd = make(SOCK_NONBLOCK), copy = dup(fd);
    int one = watched_epoll(fd, EPOLLOUT, 1), two = watched_epoll(copy, EPOLLOUT | EPOLLET, 2);
    int spent = watched_epoll(fd, EPOLLOUT | EPOLLONESHOT, 3);
    say_events("spent", spent, 0);
    say_events("two", two, 0);
    say("connect %s\n", link_up(fd));
    say_events("one", one, 10000);
    say_events("two", two, 10000);
    say_events("spent", spent, 0);
    struct epoll_event event = {EPOLLOUT | EPOLLONESHOT, {.u64 = 4}};
    say("armed %s\n", outcome(epoll_ctl(spent, EPOLL_CTL_MOD, fd, &event)));
    say_events("armed", spent, 10000);
}

static int shared_epoll;

static void *wait_for_events(void *event) {
    require(epoll_wait(shared_epoll, event, 1, 10000) == 1);
    return NULL;
}

/* A thread waits before the connection begins. */
static void epoll_in_thread(void) {
    int fd = make(SOCK_NONBLOCK);
    shared_epoll = watched_epoll(fd, EPOLLOUT | EPOLLET, 5);
    say_events("unconnected", shared_epoll, 0);
    pthread_t thread;
    struct epoll_event event;
    require(pthread_create(&thread, NULL, wait_for_events, &event) == 0);
    say("connect %s\n", link_up(fd));
    pthread_join(thread, NULL);
    say("waited %x:%d\n", event.events, (int)event.data.u64);
    say("error %d %s\n", option(fd, SOL_SOCKET, SO_ERROR), echo(fd));
}

static void selecting(void) {
    int fd = make(SOCK_NONBLOCK);
    say("connect %s\n", link_up(fd));
    fd_set writable;
    FD_ZERO(&writable);
    FD_SET(fd, &writable);
    say("select %d\n", select(fd + 1, NULL, &writable, NULL, &(struct timeval){10, 0}));
    say("error %d %s\n", option(fd, SOL_SOCKET, SO_ERROR), echo(fd));
}

static void *wait_by_poll(void *fd) {
    struct pollfd waiting = {*(int *)fd, POLLOUT, 0};
    require(poll(&waiting, 1, 10000) == 1);
    say("polled %x\n", waiting.revents);
    return NULL;
}

/* Two threads wait for the same socket. */
static void polls_in_threads(void) {
    int fd = make(SOCK_NONBLOCK);
    say("connect %s\n", link_up(fd));
    pthread_t thread;
    require(pthread_create(&thread, NULL, wait_by_poll, &fd) == 0);
    wait_by_poll(&fd);
    pthread_join(thread, NULL);
    say("error %d %s\n", option(fd, SOL_SOCKET, SO_ERROR), echo(fd));
}

/* ----- Connecting again ----- */

/* The proxy refuses at first. Then the socket connects, through the proxy. */
static void failure(void) {
    for (int flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
        int fd = make(flags), epoll = -1;
        if (flags) epoll = watched_epoll(fd, EPOLLOUT | EPOLLET, 6);
        if (flags) say_events("unconnected", epoll, 0);
        say("connect %s\n", link_up(fd));
        if (flags) {
            struct epoll_event event;
            require(epoll_wait(epoll, &event, 1, 10000) == 1);
            say("failed %d %d, ", (event.events & EPOLLHUP) != 0, (int)event.data.u64);
            say("error %s, ", await(fd));
            say("then %d\n", option(fd, SOL_SOCKET, SO_ERROR));
        }
        char byte;
        say("peer %s, domain %d, read %d\n", peer_of(fd), option(fd, SOL_SOCKET, SO_DOMAIN) == target.any.sa_family,
            recv(fd, &byte, 1, MSG_DONTWAIT) <= 0);
        say("connect %s\n", link_up(fd));
        if (flags) {
            /* The first result was ECONNABORTED, which the kernel gives once after SO_ERROR has reported a failure. */
            say_events("aborted", epoll, 0);
            say("connect %s\n", link_up(fd));
            say_events("connected", epoll, 10000);
            say("error %s\n", await(fd));
        }
        say_peer(fd);
        say("%s\n", echo(fd));
        close(fd);
    }
}

/* After a refusal the program connects the socket directly. */
static void directly(void) {
    address here;
    int listening = listener(target.any.sa_family == AF_INET ? "127.0.0.1" : "::1", "0", &here);
    int fd = make(0);
    require(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
    say("connect %s\n", link_up(fd));
    say("directly %s\n", outcome(connect(fd, &here.any, here.length)));
    int far = accept_client(listening);
    say("peer %s\n", strcmp(peer_of(fd), text_of(&here.any)) == 0 ? "as connected to" : peer_of(fd));
    address name = {.length = sizeof name.storage}, seen = {.length = sizeof seen.storage};
    require(getsockname(fd, &name.any, &name.length) == 0 && getpeername(far, &seen.any, &seen.length) == 0);
    say("name %s, NODELAY %d\n", memcmp(&name.v4, &seen.v4, sizeof name.v4) == 0 ? "as seen" : text_of(&name.any),
        option(fd, IPPROTO_TCP, TCP_NODELAY));
    struct tcp_info info;
    say("state %s\n", outcome(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof info})));
}

/* The program dissolves the connection and connects again. */
static void unspecified(void) {
    int fd = make(0);
    say("connect %s\n", link_up(fd));
    say("dissolve %s\n", outcome(connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr))));
    say("peer %s\n", peer_of(fd));
    say("connect %s\n", link_up(fd));
    say_peer(fd);
    say("%s\n", echo(fd));
}

/* ----- Bound sockets ----- */

static void bound(void) {
    address any = numeric(argument[4], argument[5]);
    int fd = socket(any.any.sa_family, SOCK_STREAM, 0);
    require(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0);
    if (target.any.sa_family == AF_INET6) require(strcmp(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), "0") == 0);
    require(bind(fd, &any.any, any.length) == 0);
    say("connect %s\n", link_up(fd));
    say("name %s\n", name_of(fd));
    say_peer(fd);
}

/* A socket for IPv6 alone. */
static void only_ipv6(void) {
    int fd = make(0);
    require(strcmp(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), "0") == 0);
    say("connect %s\n", link_up(fd));
    say("only %d, class %s\n", option(fd, IPPROTO_IPV6, IPV6_V6ONLY), set(fd, IPPROTO_IPV6, IPV6_TCLASS, 8));
    say("class %d\n", option(fd, IPPROTO_IPV6, IPV6_TCLASS));
    say_peer(fd);
    say("%s\n", echo(fd));
}

/* Whether an address is an IPv4 address, also in its mapped form. */
static int is_ipv4(const address *given) {
    return given->any.sa_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&given->v6.sin6_addr);
}

static void say_versions(const char *when, int fd) {
    address name = {.length = sizeof name.storage};
    require(getsockname(fd, &name.any, &name.length) == 0);
    say("%s: of its family %d, of its version %d, with a port %d\n", when,
        name.any.sa_family == target.any.sa_family, is_ipv4(&name) == is_ipv4(&target), name.v4.sin_port != 0);
}

/* The socket's own address has the IP version of the program's target, also when the proxy has the other version. An
 * IPv4 target is given in its mapped form. */
static void versions(void) {
    if (target.any.sa_family == AF_INET) {
        address mapped = {.v6 = {.sin6_family = AF_INET6, .sin6_port = target.v4.sin_port}, .length = sizeof mapped.v6};
        memcpy(mapped.v6.sin6_addr.s6_addr, "\0\0\0\0\0\0\0\0\0\0\377\377", 12);
        memcpy(mapped.v6.sin6_addr.s6_addr + 12, &target.v4.sin_addr, 4);
        target = mapped;
    }
    int fd = make(SOCK_NONBLOCK), copy = dup(fd);
    say("connect %s\n", link_up(fd));
    say_versions("pending", fd);
    say("error %s\n", await(fd));
    say_versions("connected", fd);
    say_versions("by another number", copy);
    say_versions("by a later one", dup(fd));
    char few[30];
    memset(few, '.', sizeof few);
    socklen_t room = 2;
    require(getsockname(fd, (void *)few, &room) == 0);
    say("cut %d %d\n", room == target.length, few[2] == '.');
    say_peer(fd);
}

/* connect(2) with an address of the wrong family leaves the socket unchanged. */
static void misfit(void) {
    int fd = socket(target.any.sa_family == AF_INET ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    say("connect %s\n", outcome(connect(fd, &target.any, target.length)));
    say("same domain %d\n", option(fd, SOL_SOCKET, SO_DOMAIN) == target.any.sa_family);
    say("peer %s\n", peer_of(fd));
}

/* A directly connected socket stays unchanged. */
static void connected_directly(void) {
    address here;
    int listening = listener(target.any.sa_family == AF_INET ? "127.0.0.1" : "::1", "0", &here);
    int fd = make(0);
    say("directly %s\n", outcome(connect(fd, &here.any, here.length)));
    say("connect %s, listening %s\n", link_up(fd), link_up(listening));
    say("peer %s\n", strcmp(peer_of(fd), text_of(&here.any)) == 0 ? "as connected to" : peer_of(fd));
}

/* ----- Data ----- */

static void data(void) {
    int fd = make(0), file = open("/proc/self/exe", O_RDONLY), pipes[2];
    say("connect %s\n", link_up(fd));
    char sent[5000], received[5000];
    require(pread(file, sent, sizeof sent, 0) == sizeof sent);
    say("sendfile %zd ", sendfile(fd, file, &(off_t){0}, sizeof sent));
    require(read_all(fd, received, sizeof received));
    say("%s\n", memcmp(sent, received, sizeof sent) == 0 ? "and back" : "garbled");
    require(pipe(pipes) == 0 && write(pipes[1], sent, 100) == 100);
    say("splice %zd ", splice(pipes[0], NULL, fd, NULL, 100, 0));
    struct pollfd waiting = {fd, POLLIN, 0};
    require(poll(&waiting, 1, 10000) == 1 && recv(fd, received, 100, MSG_PEEK | MSG_WAITALL) == 100);
    int unread = 0;
    require(ioctl(fd, FIONREAD, &unread) == 0);
    say("unread %d ", unread);
    say("%zd\n", splice(fd, NULL, pipes[1], NULL, 100, 0));
}

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"identity", identity}, {"options", options}, {"duplicates", duplicates}, {"children", children},
        {"inherited", inherited}, {"epolls", epolls}, {"epolls-shared", epolls_shared},
        {"epoll-in-thread", epoll_in_thread}, {"polls-in-threads", polls_in_threads},
        {"selecting", selecting}, {"failure", failure}, {"misfit", misfit},
        {"directly", directly}, {"unspecified", unspecified}, {"bound", bound},
        {"versions", versions}, {"only-ipv6", only_ipv6},
        {"connected-directly", connected_directly}, {"data", data},
    };
    require(count >= 4);
    alarm(50);
    signal(SIGPIPE, SIG_IGN);
    argument = arguments;
    target = numeric(arguments[2], arguments[3]);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++)
        if (strcmp(arguments[1], cases[index].name) == 0) {
            cases[index].run();
            return 0;
        }
    require(!"a case");
}
