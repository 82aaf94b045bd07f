/* Probes of connect(2) and of connected sockets. */
#include "probe.h"

/* HOST PORT [TIMES]: the results of TIMES calls of connect on new sockets, in one line; then the descriptors left
 * open. */
static int connect_errno(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int times = count > 2 ? atoi(arguments[2]) : 1;
    int before = descriptors();
    for (int index = 0; index < times; index++) {
        int descriptor = stream(&to, 0);
        printf("%s%s", index ? " " : "", result(connect(descriptor, ADDRESS(to), to.length)));
        close(descriptor);
    }
    printf("\nleft open: %d\n", descriptors() - before);
    return 0;
}

/* HOST PORT TEXT */
static int exchange_text(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    exchange(connected(&to), arguments[2]);
    return 0;
}

/* HOST PORT: connects the same socket twice. */
static int retry(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = stream(&to, 0);
    printf("first: %s\n", result(connect(descriptor, ADDRESS(to), to.length)));
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    printf("peer: %s\n", result(getpeername(descriptor, (struct sockaddr *)&peer, &length)));
    int error = -1;
    socklen_t size = sizeof error;
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    printf("pending error: %d\n", error);
    printf("second: %s\n", result(connect(descriptor, ADDRESS(to), to.length)));
    exchange(descriptor, "hello");
    return 0;
}

static void print_state(int descriptor) {
    static const struct {
        int level, option;
    } options[] = {{IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_OOBINLINE},
                   {SOL_SOCKET, SO_REUSEADDR}, {SOL_SOCKET, SO_PRIORITY},  {IPPROTO_TCP, TCP_KEEPIDLE},
                   {SOL_SOCKET, SO_RCVLOWAT}};
    printf("flags %x %x", fcntl(descriptor, F_GETFL), fcntl(descriptor, F_GETFD));
    for (size_t index = 0; index < sizeof options / sizeof *options; index++) {
        int value = -1;
        socklen_t size = sizeof value;
        getsockopt(descriptor, options[index].level, options[index].option, &value, &size);
        printf(" %d", value);
    }
    for (int option = SO_RCVTIMEO; option <= SO_SNDTIMEO; option++) {
        struct timeval time;
        socklen_t size = sizeof time;
        getsockopt(descriptor, SOL_SOCKET, option, &time, &size);
        printf(" %ld.%06ld", (long)time.tv_sec, (long)time.tv_usec);
    }
    struct linger linger;
    socklen_t size = sizeof linger;
    getsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, &size);
    uint64_t cookie = 0;
    size = sizeof cookie;
    getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &size);
    printf(" %d %d socket %llx\n", linger.l_onoff, linger.l_linger, (unsigned long long)cookie);
}

/* HOST PORT blocking|nonblocking: every flag and option that is not at its default, before and after. */
static int unharmed(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    bool nonblocking = !strcmp(arguments[2], "nonblocking");
    int descriptor = stream(&to, SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0));
    int one = 1, idle = 77, priority = 3, low = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(descriptor, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one);
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(descriptor, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = 23}, sizeof(struct timeval));
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 24}, sizeof(struct timeval));
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &(struct linger){1, 5}, sizeof(struct linger));
    print_state(descriptor);
    int returned = connect(descriptor, ADDRESS(to), to.length);
    if (returned < 0 && errno == EINPROGRESS) {
        poll(&(struct pollfd){.fd = descriptor, .events = POLLOUT}, 1, -1);
        int error;
        socklen_t size = sizeof error;
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
        returned = error ? -1 : 0;
        errno = error;
    }
    const char *text = result(returned);
    print_state(descriptor);
    printf("%s\n", text);
    return 0;
}

static volatile sig_atomic_t signals;

/* HOST PORT LENGTH: the bytes that the far side sends unasked. */
static int banner(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = connected(&to);
    char buffer[256] = "";
    size_t length = atoi(arguments[2]), received = 0;
    while (received < length) {
        ssize_t got = recv(descriptor, buffer + received, length - received, 0);
        if (got <= 0) break;
        received += got;
    }
    fwrite(buffer, 1, received, stdout);
    return 0;
}

/* An address that cannot be read. */
static int unreadable(int count, char **arguments) {
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    printf("%s\n", result(connect(tcp, (struct sockaddr *)8, sizeof(struct sockaddr_in))));
    return 0;
}

static void print_peer(const char *label, int descriptor) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    if (getpeername(descriptor, (struct sockaddr *)&peer, &length) < 0)
        printf("%s: %s\n", label, result(-1));
    else
        printf("%s: %s length %d\n", label, described(&peer), (int)length);
}

/* HOST PORT: a socket that is disconnected, and connected again. */
static int unspecified(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = connected(&to);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    printf("disconnect: %s\n", result(connect(descriptor, &none, sizeof none)));
    print_peer("peer", descriptor);
    printf("connect: %s\n", result(connect(descriptor, ADDRESS(to), to.length)));
    print_peer("peer", descriptor);
    exchange(descriptor, "hello");
    return 0;
}

/* ADDRESS: a connection to a listener of this process. */
static int local(int count, char **arguments) {
    struct target at = target(arguments[0], "0");
    int listener = stream(&at, 0);
    bind(listener, ADDRESS(at), at.length);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&at.address, &at.length);
    int client = stream(&at, 0);
    printf("connect: %s\n", result(connect(client, ADDRESS(at), at.length)));
    struct target seen = {.length = sizeof seen.address}, own = {.length = sizeof own.address};
    int server = accept(listener, (struct sockaddr *)&seen.address, &seen.length);
    getsockname(client, (struct sockaddr *)&own.address, &own.length);
    printf("direct: %s\n", server >= 0 && !memcmp(&seen.address, &own.address, own.length) ? "yes" : "no");
    return 0;
}

extern int __connect(int, const struct sockaddr *, socklen_t);


static volatile sig_atomic_t handled;

/* HOST PORT: a bound socket keeps its address when it connects. */
static int bound(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = stream(&to, 0), one = 1;
    struct target from = target(to.address.ss_family == AF_INET ? "0.0.0.0" : "::", "0");
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bind(descriptor, ADDRESS(from), from.length);
    struct sockaddr_in6 before, after;
    socklen_t length = sizeof before;
    getsockname(descriptor, (struct sockaddr *)&before, &length);
    printf("connect: %s\n", result(connect(descriptor, ADDRESS(to), to.length)));
    length = sizeof after;
    getsockname(descriptor, (struct sockaddr *)&after, &length);
    printf("port kept: %s\n", before.sin6_port == after.sin6_port ? "yes" : "no");
    exchange(descriptor, "hello");
    return 0;
}

const struct probe connect_probes[] = {
    {"connect", connect_errno},
    {"exchange", exchange_text},
    {"retry", retry},
    {"unharmed", unharmed},
    {"banner", banner},
    {"unreadable", unreadable},
    {"unspecified", unspecified},
    {"local", local},
    {"bound", bound},
    {NULL},
};
