/* confined [made] [threads]: makes calls that need no proxy, each in a process whose filter allows only the system call
 * of that name, and prints what it saw. With `made` there was a connection before; with `threads` there is a second
 * thread.
 *
 * confined NAME ...: makes these calls only. */
#include "filter.h"

#include <spawn.h>
#include <sys/epoll.h>
#include <sys/un.h>

extern char **environ;

/* The calls without the probe's own account of descriptors, which asks for the process ID. */
#define socket __real_socket
#define dup __real_dup
#define dup2 __real_dup2
#define dup3 __real_dup3
#define fcntl __real_fcntl
#define close __real_close
#define close_range __real_close_range
#define closefrom __real_closefrom
#define _exit __real__exit
int socket(int domain, int type, int protocol);
int dup(int fd);
int dup2(int fd, int as);
int dup3(int fd, int as, int flags);
int fcntl(int fd, int command, ...);
int close(int fd);
int close_range(unsigned first, unsigned last, int flags);
void closefrom(int first);
void _exit(int status) __attribute__((noreturn));

static int pair[2], pipes[2], epoll, high, inet, bound, any, datagrams, named;
static struct sockaddr_un name = {.sun_family = AF_UNIX};
static socklen_t name_length;
static char *no_arguments[] = {"none", NULL};

static void no_preparation(void) {}

static void send_pipe(void) { pass_descriptor(pair[0], pipes[0]); }
static void send_stream(void) { pass_descriptor(pair[0], inet); }
static void send_datagrams(void) { pass_descriptor(pair[0], datagrams); }
static void receive_rights(void) {
    char control[64], byte;
    struct msghdr message = {.msg_iov = &(struct iovec){&byte, 1}, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    require(recvmsg(pair[1], &message, 0) == 1 && CMSG_FIRSTHDR(&message));
}
static void receive_rights_among_several(void) {
    char control[64], byte;
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &(struct iovec){&byte, 1}, .msg_iovlen = 1,
                                          .msg_control = control, .msg_controllen = sizeof control}};
    require(recvmmsg(pair[1], &message, 1, 0, NULL) == 1);
}

static void duplicate(void) { require(dup(pipes[0]) >= 0); }
static void duplicate_and_close(void) { require(close(dup(pipes[0])) == 0); }
static void duplicate_stream_and_close(void) { require(close(dup(inet)) == 0); }
static void duplicate_to(void) { require(dup2(pipes[0], 40) == 40); }
static void duplicate_stream_to(void) { require(dup2(inet, 40) == 40); }
static void duplicate_by_dup3(void) { require(dup3(pipes[0], 40, O_CLOEXEC) == 40); }
static void duplicate_by_fcntl(void) {
    require(fcntl(pipes[0], F_DUPFD, 40) >= 40 && fcntl(inet, F_DUPFD_CLOEXEC, 40) >= 40);
}
static void close_all_above(void) { require(close_range(60, ~0U, 0) == 0); }
static void close_all_from(void) { closefrom(60); }

static void listen_by_name(void) { require(listen(named, 1) == 0); }
static void listen_on_loopback(void) { require(listen(bound, 1) == 0); }
static void listen_anywhere(void) { require(listen(any, 1) == 0); }
static void connect_by_name(void) {
    require(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, name_length) == 0);
}
static void name_peers(void) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    require(getpeername(pair[0], (struct sockaddr *)&peer, &length) == 0);
    length = sizeof peer;
    require(getpeername(inet, (struct sockaddr *)&peer, &length) == 0);
}
static void connect_to_oneself(void) {
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    require(listen(bound, 1) == 0 && getsockname(bound, (struct sockaddr *)&own, &length) == 0);
    require(connect(inet, (struct sockaddr *)&own, length) == 0);
}

static void register_low(void) {
    struct epoll_event event = {EPOLLIN, {0}};
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], &event) == 0);
    require(epoll_ctl(epoll, EPOLL_CTL_MOD, pair[1], &event) == 0);
    require(epoll_ctl(epoll, EPOLL_CTL_DEL, pair[1], &event) == 0);
}
static void register_high(void) {
    struct epoll_event event = {EPOLLIN, {0}};
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, high, &event) == 0);
}
static void wait_for_events(void) {
    struct epoll_event event = {EPOLLIN, {0}};
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], &event) == 0 && epoll_wait(epoll, &event, 1, 0) == 0);
}

static void fork_child(void) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    require(child > 0 && waitpid(child, NULL, 0) == child);
}
static void fork_without_handlers(void) {
    pid_t child = _Fork();
    if (child == 0) _exit(0);
    require(child > 0 && waitpid(child, NULL, 0) == child);
}
static void fork_by_vfork(void) {
    pid_t child = vfork();
    if (child == 0) _exit(0);
    require(child > 0 && waitpid(child, NULL, 0) == child);
}
static void start_nothing(void) { require(execve("/nonexistent", no_arguments, environ) < 0); }
/* This environment lacks a variable that the library hands on. */
static void have_many_variables(void) {
    unsetenv("LD_PRELOAD");
    for (int number = 0; number < 300; number++) {
        char variable[32];
        snprintf(variable, sizeof variable, "VARIABLE_%d", number);
        require(setenv(variable, "of some length", 1) == 0);
    }
}
/* Each call frees what it took. */
static void start_nothing_twice(void) { start_nothing(), start_nothing(); }
static void start_nothing_from_nothing(void) {
    char *few[] = {"A=b", NULL};
    require(execve("/nonexistent", no_arguments, few) < 0);
}

static const struct item {
    const char *name;
    void (*call)(void);
    void (*prepare)(void);
    int allowed[16];
} items[] = {
    {"receive a pipe", receive_rights, send_pipe, {SYS_recvmsg, -1}},
    {"receive a stream", receive_rights, send_stream, {SYS_recvmsg, -1}},
    {"receive a datagram socket", receive_rights, send_datagrams, {SYS_recvmsg, -1}},
    {"receive among several", receive_rights_among_several, send_pipe, {SYS_recvmmsg, -1}},
    {"pass on", send_pipe, no_preparation, {SYS_sendmsg, -1}},
    {"dup", duplicate, no_preparation, {SYS_dup, -1}},
    {"dup, close", duplicate_and_close, no_preparation, {SYS_dup, SYS_close, -1}},
    {"dup of a stream, close", duplicate_stream_and_close, no_preparation, {SYS_dup, SYS_close, -1}},
    {"dup2", duplicate_to, no_preparation, {SYS_dup2, -1}},
    {"dup2 of a stream", duplicate_stream_to, no_preparation, {SYS_dup2, -1}},
    {"dup3", duplicate_by_dup3, no_preparation, {SYS_dup3, -1}},
    {"F_DUPFD", duplicate_by_fcntl, no_preparation, {SYS_fcntl, -1}},
    {"close_range", close_all_above, no_preparation, {SYS_close_range, -1}},
    {"closefrom", close_all_from, no_preparation, {SYS_close_range, -1}},
    {"listen by name", listen_by_name, no_preparation, {SYS_listen, -1}},
    {"listen on loopback", listen_on_loopback, no_preparation, {SYS_listen, -1}},
    {"listen anywhere", listen_anywhere, no_preparation, {SYS_listen, -1}},
    {"connect by name", connect_by_name, listen_by_name, {SYS_socket, SYS_connect, -1}},
    {"getpeername", name_peers, connect_to_oneself, {SYS_getpeername, -1}},
    {"epoll_ctl", register_low, no_preparation, {SYS_epoll_ctl, -1}},
    {"epoll_ctl of a high number", register_high, no_preparation, {SYS_epoll_ctl, -1}},
    {"epoll_wait", wait_for_events, no_preparation, {SYS_epoll_ctl, SYS_epoll_wait, -1}},
    /* The account of descriptors starts again in the child. */
    {"fork", fork_child, no_preparation,
     {SYS_clone, SYS_wait4, SYS_set_robust_list, SYS_rseq, SYS_getpid, SYS_openat, SYS_newfstatat, SYS_getdents64,
      SYS_fcntl, SYS_close, SYS_brk, SYS_mmap, SYS_munmap, -1}},
    {"_Fork", fork_without_handlers, no_preparation,
     {SYS_clone, SYS_wait4, SYS_set_robust_list, SYS_rseq, -1}},
    {"vfork", fork_by_vfork, no_preparation, {SYS_vfork, SYS_wait4, -1}},
    {"execve", start_nothing, no_preparation, {SYS_execve, -1}},
    {"execve with many variables", start_nothing_twice, have_many_variables, {SYS_execve, -1}},
    {"execve with another environment", start_nothing_from_nothing, no_preparation, {SYS_execve, -1}},
};

static void *idle(void *argument) {
    while (pause()) continue;
    return argument;
}

static void make_connection(void) {
    address to;
    int listening = listener("127.0.0.1", "0", &to), fd = stream(&to);
    require(connect(fd, &to.any, to.length) == 0 && close(fd) == 0 && close(listening) == 0);
}

static void open_descriptors(void) {
    require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(pipes) == 0);
    epoll = epoll_create1(0);
    high = fcntl(pair[1], F_DUPFD, 1030);
    inet = socket(AF_INET, SOCK_STREAM, 0);
    bound = socket(AF_INET, SOCK_STREAM, 0);
    any = socket(AF_INET6, SOCK_STREAM, 0);
    datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    named = socket(AF_UNIX, SOCK_STREAM, 0);
    require(epoll >= 0 && high >= 0 && inet >= 0 && bound >= 0 && any >= 0 && datagrams >= 0 && named >= 0);
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    require(bind(bound, (struct sockaddr *)&loopback, sizeof loopback) == 0);
    /* An abstract address, without a name in the file system. */
    snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "confined-%d", getpid());
    name_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name.sun_path + 1));
    require(bind(named, (struct sockaddr *)&name, name_length) == 0);
}

static int has(char **arguments, const char *word) {
    for (; *arguments; arguments++)
        if (strcmp(*arguments, word) == 0) return 1;
    return 0;
}

static void make(const struct item *item, char **arguments) {
    open_descriptors();
    if (has(arguments, "made")) make_connection();
    pthread_t thread;
    if (has(arguments, "threads")) require(pthread_create(&thread, NULL, idle, NULL) == 0);
    item->prepare();
    dprintf(1, "%s: ", item->name);
    allow_calls(item->allowed);
    item->call();
    tell("nothing else\n");
    syscall(SYS_exit_group, 0);
}

int main(int count, char **arguments) {
    const int items_count = sizeof items / sizeof *items;
    alarm(30);
    for (int index = 0; count > 1 && index < items_count; index++)
        if (strcmp(arguments[1], items[index].name) == 0) make(&items[index], arguments + 2);
    for (int index = 0; index < items_count; index++) {
        char *all[] = {arguments[0], (char *)items[index].name, count > 1 ? arguments[1] : NULL,
                       count > 2 ? arguments[2] : NULL, NULL};
        pid_t child;
        require(posix_spawn(&child, "/proc/self/exe", NULL, NULL, all, environ) == 0);
        require(waitpid(child, NULL, 0) == child);
    }
}
