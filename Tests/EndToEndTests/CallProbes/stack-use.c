/* stack-use HOST PORT: prints how many bytes of stack each call takes, the first time in a process and then again,
 * in a thread whose stack was filled with a pattern. A line for each call: NAME FIRST AGAIN. */
#include "probe.h"

#include <netdb.h>
#include <resolv.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/uio.h>

enum { STACK = 1 << 20, PAINTED = STACK / 2, PAINT = 0xa5, PARTS = 1000, MESSAGES = 40, VARIABLES = 3000 };

static address to;
/* A blocking stream, a non-blocking stream, which begins to connect before the call, and a datagram socket. */
static int fd, pending, datagram;

static void by_connect(void) { connect(fd, &to.any, to.length); }
static void by_nonblocking_connect(void) {
    int another = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(another, &to.any, to.length);
    close(another);
}
static void by_poll(void) { poll(&(struct pollfd){pending, POLLOUT, 0}, 1, 0); }
static void by_long_poll(void) {
    static struct pollfd many[200];
    for (int index = 0; index < 200; index++) many[index] = (struct pollfd){index ? -1 : pending, POLLOUT, 0};
    poll(many, 200, 0);
}
static void by_ppoll(void) { ppoll(&(struct pollfd){pending, POLLOUT, 0}, 1, &(struct timespec){0, 0}, NULL); }
static void by_select(void) {
    fd_set writable;
    FD_ZERO(&writable);
    FD_SET(pending, &writable);
    select(pending + 1, NULL, &writable, NULL, &(struct timeval){0, 0});
}
static void by_epoll(void) {
    int epoll = epoll_create1(0);
    struct epoll_event event = {EPOLLOUT, {.fd = pending}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, pending, &event);
    epoll_wait(epoll, &event, 1, 0);
    epoll_ctl(epoll, EPOLL_CTL_DEL, pending, NULL);
    close(epoll);
}
static void by_read(void) { read(pending, &(char){0}, 1); }
static void by_write(void) { write(pending, "x", 1); }
static void by_error(void) { getsockopt(pending, SOL_SOCKET, SO_ERROR, &(int){0}, &(socklen_t){sizeof(int)}); }
static void by_peer(void) { getpeername(pending, &(struct sockaddr){0}, &(socklen_t){sizeof(struct sockaddr)}); }
static void by_unread(void) { ioctl(pending, FIONREAD, &(int){0}); }
static void by_shutdown(void) { shutdown(pending, SHUT_RDWR); }
static void by_close(void) { close(dup(pending)); }
static void by_dup2(void) { dup2(datagram, dup(pending)); }
static void by_listen(void) {
    int another = stream(&to);
    listen(another, 1);
    close(another);
}
static void by_socket(void) { close(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)); }
static void by_sendto(void) { sendto(datagram, "x", 1, MSG_DONTWAIT, &to.any, to.length); }
static void by_sendmsg(void) {
    static struct iovec parts[PARTS];
    struct msghdr message = {&to, to.length, parts, PARTS, NULL, 0, 0};
    sendmsg(datagram, &message, MSG_DONTWAIT);
}
static struct mmsghdr *messages(void) {
    static struct mmsghdr several[MESSAGES];
    static struct iovec parts[MESSAGES];
    static char bytes[MESSAGES];
    for (int index = 0; index < MESSAGES; index++) {
        parts[index] = (struct iovec){&bytes[index], 1};
        several[index].msg_hdr = (struct msghdr){&to, to.length, &parts[index], 1, NULL, 0, 0};
    }
    return several;
}
static void by_sendmmsg(void) { sendmmsg(datagram, messages(), MESSAGES, MSG_DONTWAIT); }
static void by_recvmmsg(void) { recvmmsg(datagram, messages(), MESSAGES, MSG_DONTWAIT, NULL); }
static void by_recvmsg(void) {
    static struct iovec parts[PARTS];
    struct msghdr message = {NULL, 0, parts, PARTS, NULL, 0, 0};
    recvmsg(datagram, &message, MSG_DONTWAIT);
}
static void by_recvfrom(void) { recv(datagram, &(char){0}, 1, MSG_DONTWAIT); }
static void by_getaddrinfo(void) {
    struct addrinfo *list;
    if (getaddrinfo("name.example", "80", &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &list) == 0)
        freeaddrinfo(list);
}
static void by_gethostbyname(void) { gethostbyname("name.example"); }
static void by_gethostbyaddr(void) { gethostbyaddr(&to.v4.sin_addr, sizeof to.v4.sin_addr, AF_INET); }
static void by_getnameinfo(void) { getnameinfo(&to.any, to.length, (char[64]){0}, 64, NULL, 0, 0); }
static void by_question(void) { res_query("name.example", 1, 1, (unsigned char[512]){0}, 512); }
/* With an environment without the library's variables and with very many others. */
static char **others(void) {
    static char *variables[VARIABLES + 1], text[] = "VARIABLE=1";
    for (int index = 0; index < VARIABLES; index++) variables[index] = text;
    return variables;
}
static void by_spawn(void) {
    pid_t child;
    if (posix_spawn(&child, "/bin/true", NULL, NULL, (char *[]){"true", NULL}, others()) == 0)
        waitpid(child, NULL, 0);
}
static void by_exec(void) { execve("/nonexistent", (char *[]){"true", NULL}, others()); }

static const struct {
    const char *name;
    void (*call)(void);
} calls[] = {
    {"connect", by_connect}, {"nonblocking", by_nonblocking_connect}, {"poll", by_poll}, {"poll-many", by_long_poll},
    {"ppoll", by_ppoll}, {"select", by_select}, {"epoll", by_epoll}, {"read", by_read}, {"write", by_write},
    {"SO_ERROR", by_error}, {"getpeername", by_peer}, {"FIONREAD", by_unread}, {"shutdown", by_shutdown},
    {"close", by_close}, {"dup2", by_dup2}, {"listen", by_listen}, {"socket", by_socket}, {"sendto", by_sendto},
    {"sendmsg", by_sendmsg}, {"sendmmsg", by_sendmmsg}, {"recvmmsg", by_recvmmsg}, {"recvmsg", by_recvmsg},
    {"recv", by_recvfrom}, {"getaddrinfo", by_getaddrinfo}, {"gethostbyname", by_gethostbyname},
    {"gethostbyaddr", by_gethostbyaddr}, {"getnameinfo", by_getnameinfo}, {"res_query", by_question},
    {"posix_spawn", by_spawn}, {"execve", by_exec},
};

typedef struct {
    void (*call)(void);
    size_t used;
} measurement;

static void *measure(void *argument) {
    measurement *measured = argument;
    volatile unsigned char *top = __builtin_frame_address(0);
    top -= 512;
    for (volatile unsigned char *byte = top - PAINTED; byte < top; byte++) *byte = PAINT;
    measured->call();
    volatile unsigned char *byte = top - PAINTED;
    while (*byte == PAINT) byte++;
    measured->used = (size_t)(top - byte);
    return NULL;
}

static size_t used_by(void (*call)(void)) {
    measurement measured = {call, 0};
    pthread_attr_t attributes;
    pthread_t thread;
    void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(stack != MAP_FAILED && pthread_attr_init(&attributes) == 0);
    require(pthread_attr_setstack(&attributes, stack, STACK) == 0);
    require(pthread_create(&thread, &attributes, measure, &measured) == 0 && pthread_join(thread, NULL) == 0);
    munmap(stack, STACK);
    return measured.used;
}

int main(int count, char **arguments) {
    require(count == 3);
    to = numeric(arguments[1], arguments[2]);
    signal(SIGPIPE, SIG_IGN);
    for (size_t index = 0; index < sizeof calls / sizeof *calls; index++) {
        /* Each call has a process of its own, in which it is the first. */
        pid_t child = fork();
        require(child >= 0);
        if (child == 0) {
            size_t used[2];
            fd = stream(&to);
            pending = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
            datagram = socket(to.any.sa_family, SOCK_DGRAM, 0);
            for (int turn = 0; turn < 2; turn++) {
                /* A waiting call has a connection to wait for, and a datagram socket may receive. */
                if (turn || calls[index].call != by_connect) connect(pending, &to.any, to.length);
                if (turn) sendto(datagram, "x", 1, MSG_DONTWAIT, &to.any, to.length);
                used[turn] = used_by(calls[index].call);
            }
            say("%s %zu %zu\n", calls[index].name, used[0], used[1]);
            _exit(0);
        }
        int status;
        require(waitpid(child, &status, 0) == child);
        if (status != 0) say("%s ended with %#x\n", calls[index].name, status);
    }
}
