/* Probes of connect(2) and of what can be seen of a connected socket. */
#include "probe.h"

/* HOST PORT [TIMES]: what connect gives, so many times on new sockets, in one line; then the descriptors left. */
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

/* HOST PORT: the same socket twice. */
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

/* HOST PORT: with a short SO_SNDTIMEO against a proxy that never answers: two calls. */
static int send_timeout(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = stream(&to, 0);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_usec = 50000}, sizeof(struct timeval));
    printf("%s", result(connect(descriptor, ADDRESS(to), to.length)));
    printf(" %s\n", result(connect(descriptor, ADDRESS(to), to.length)));
    return 0;
}

/* HOST PORT: the same against a slow one: the first and the last result, and whether all between were EALREADY. */
static int send_timeout_completes(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = stream(&to, 0);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_usec = 50000}, sizeof(struct timeval));
    printf("%s", result(connect(descriptor, ADDRESS(to), to.length)));
    int returned;
    while ((returned = connect(descriptor, ADDRESS(to), to.length)) < 0 && errno == EALREADY) {}
    printf(" %s", result(returned));
    printf(" %s\n", result(connect(descriptor, ADDRESS(to), to.length)));
    exchange(descriptor, "hello");
    return 0;
}

static volatile sig_atomic_t signals;
static void count_signal(int number) { signals++; }

/* HOST PORT restart|interrupt: a signal arrives during connect. */
static int interrupted(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    struct sigaction action = {.sa_handler = count_signal};
    if (!strcmp(arguments[2], "restart")) action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    int descriptor = stream(&to, 0);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 50000}, NULL);
    int returned = connect(descriptor, ADDRESS(to), to.length);
    printf("%s", result(returned));
    if (returned < 0 && errno == EINTR) printf(" %s", result(connect(descriptor, ADDRESS(to), to.length)));
    printf(", signals: %d\n", (int)signals);
    exchange(descriptor, "hello");
    return 0;
}

/* HOST PORT: connect on what is connected. */
static int connected_twice(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = connected(&to);
    printf("%s\n", result(connect(descriptor, ADDRESS(to), to.length)));
    exchange(descriptor, "hello");
    return 0;
}

/* HOST PORT: the outcome of a non-blocking connect, however it is learned. */
static int nonblocking(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = stream(&to, SOCK_NONBLOCK);
    int returned = connect(descriptor, ADDRESS(to), to.length);
    if (returned < 0 && errno == EINPROGRESS) {
        poll(&(struct pollfd){.fd = descriptor, .events = POLLOUT}, 1, -1);
        int error;
        socklen_t size = sizeof error;
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
        returned = error ? -1 : 0;
        errno = error;
    }
    printf("%s\n", result(returned));
    printf("non-blocking: %d\n", !!(fcntl(descriptor, F_GETFL) & O_NONBLOCK));
    if (!returned) exchange(descriptor, "hello");
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

/* HOST PORT: the peer, also into a buffer that is too short. */
static int peer(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = connected(&to);
    print_peer("peer", descriptor);
    unsigned char buffer[sizeof(struct sockaddr_storage)];
    memset(buffer, 0xee, sizeof buffer);
    socklen_t length = 4;
    printf("short: %s", result(getpeername(descriptor, (struct sockaddr *)buffer, &length)));
    printf(" length %d, beyond: %s\n", (int)length, buffer[4] == 0xee ? "untouched" : "written");
    return 0;
}

/* NAME PORT: the peer of a connection to a looked up name is the address that the lookup gave. */
static int peer_of_name(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = connected(&to);
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    getpeername(descriptor, (struct sockaddr *)&peer, &length);
    char expected[100];
    strcpy(expected, described(&to.address));
    puts(strcmp(expected, described(&peer)) ? "another" : "the same");
    exchange(descriptor, "hello");
    return 0;
}

/* HOST PORT LENGTH: what the far side says unasked. */
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

/* HOST PORT: copies of a descriptor, and its number after it was closed. */
static int copies(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = connected(&to);
    int second = dup(descriptor), third = dup2(descriptor, 77), fourth = fcntl(descriptor, F_DUPFD_CLOEXEC, 80);
    int fifth = dup3(descriptor, 90, O_CLOEXEC);
    print_peer("dup", second);
    print_peer("dup2", third);
    print_peer("F_DUPFD_CLOEXEC", fourth);
    print_peer("dup3", fifth);
    close(descriptor);
    print_peer("dup after close", second);
    int unconnected = stream(&to, 0);
    printf("number reused: %s\n", unconnected == descriptor ? "yes" : "no");
    print_peer("new socket", unconnected);
    print_peer("closed", 99);
    fflush(stdout);
    if (!fork()) {
        print_peer("child", second);
        _exit(0);
    }
    wait(NULL);
    exchange(fifth, "hello");
    return 0;
}

/* UDP on loopback, socket pairs and Unix domain sockets. */
static int others(int count, char **arguments) {
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    bind(receiver, (struct sockaddr *)&address, sizeof address);
    getsockname(receiver, (struct sockaddr *)&address, &length);
    char buffer[10] = "";
    printf("udp connect: %s\n", result(connect(sender, (struct sockaddr *)&address, length)));
    send(sender, "one", 3, 0);
    recv(receiver, buffer, sizeof buffer, 0);
    printf("udp: %s\n", buffer);

    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "probe-%d", getpid());
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&name, sizeof name);
    listen(listener, 1);
    printf("unix connect: %s\n", result(connect(client, (struct sockaddr *)&name, sizeof name)));
    int server = accept(listener, NULL, NULL);
    if (write(server, "two", 3) != 3 || read(client, buffer, 3) != 3) return 1;
    printf("unix: %s\n", buffer);
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    if (write(pair[0], "six", 3) != 3 || read(pair[1], buffer, 3) != 3) return 1;
    printf("pair: %s\n", buffer);

    printf("bad descriptor: %s\n", result(connect(999, (struct sockaddr *)&address, length)));
    printf("no socket: %s\n", result(connect(0, (struct sockaddr *)&address, length)));
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    printf("bad length: %s\n", result(connect(tcp, (struct sockaddr *)&address, 3)));
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    inet_pton(AF_INET6, "2001:db8::10", &v6.sin6_addr);
    printf("family of another: %s\n", result(connect(tcp, (struct sockaddr *)&v6, sizeof v6)));
    return 0;
}

/* An address that cannot be read. */
static int unreadable(int count, char **arguments) {
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    printf("%s\n", result(connect(tcp, (struct sockaddr *)8, sizeof(struct sockaddr_in))));
    return 0;
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

/* HOST PORT sendto|sendmsg|option */
static int fast_open(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = stream(&to, 0);
    ssize_t sent;
    if (!strcmp(arguments[2], "sendto")) {
        sent = sendto(descriptor, "hello", 5, MSG_FASTOPEN, ADDRESS(to), to.length);
    } else if (!strcmp(arguments[2], "sendmsg")) {
        struct iovec parts[] = {{"he", 2}, {"llo", 3}};
        struct msghdr message = {
            .msg_name = &to.address, .msg_namelen = to.length, .msg_iov = parts, .msg_iovlen = 2};
        sent = sendmsg(descriptor, &message, MSG_FASTOPEN);
    } else {
        int one = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof one);
        printf("connect: %s\n", result(connect(descriptor, ADDRESS(to), to.length)));
        sent = send(descriptor, "hello", 5, 0);
    }
    printf("sent: %s %zd\n", result(sent), sent);
    char buffer[6] = "";
    for (ssize_t received = 0, got; received < 5; received += got)
        if ((got = recv(descriptor, buffer + received, 5 - received, 0)) <= 0) break;
    printf("%s\n", buffer);
    print_peer("peer", descriptor);
    return 0;
}

extern int __connect(int, const struct sockaddr *, socklen_t);

/* HOST PORT syscall|alias: other doors to the same call. */
static int other_doors(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    int descriptor = stream(&to, 0);
    long returned = !strcmp(arguments[2], "alias") ? __connect(descriptor, ADDRESS(to), to.length)
                                                    : syscall(SYS_connect, descriptor, ADDRESS(to), to.length);
    printf("%s\n", result((int)returned));
    if (!returned) exchange(descriptor, "hello");
    return 0;
}

/* HOST PORT: in a child that borrows the memory of its parent, and in the parent afterwards. */
static int in_vfork(int count, char **arguments) {
    struct target to = target(arguments[0], arguments[1]);
    static volatile int code;
    pid_t child = vfork();
    if (!child) {
        int descriptor = socket(to.address.ss_family, SOCK_STREAM, 0);
        if (connect(descriptor, ADDRESS(to), to.length) < 0) {
            code = errno;
            _exit(1);
        }
        _exit(echoes(descriptor, "child") ? 0 : 2);
    }
    int status;
    waitpid(child, &status, 0);
    printf("child: %d %s\n", WEXITSTATUS(status), code ? strerrorname_np(code) : "ok");
    exchange(connected(&to), "parent");
    return 0;
}

static struct target shared_target;

static void *connect_often(void *argument) {
    intptr_t times = (intptr_t)argument, good = 0;
    char text[40];
    for (intptr_t index = 0; index < times; index++) {
        int descriptor = stream(&shared_target, 0);
        snprintf(text, sizeof text, "%lx %ld", (unsigned long)pthread_self(), (long)index);
        if (!connect(descriptor, ADDRESS(shared_target), shared_target.length) && echoes(descriptor, text)) good++;
        close(descriptor);
    }
    return (void *)good;
}

/* HOST PORT THREADS TIMES: how many connections worked. */
static int threads(int count, char **arguments) {
    shared_target = target(arguments[0], arguments[1]);
    int number = atoi(arguments[2]);
    pthread_t started[64];
    long good = 0;
    for (int index = 0; index < number; index++)
        pthread_create(&started[index], NULL, connect_often, (void *)(intptr_t)atoi(arguments[3]));
    for (int index = 0; index < number; index++) {
        void *returned;
        pthread_join(started[index], &returned);
        good += (intptr_t)returned;
    }
    printf("%ld\n", good);
    return 0;
}

static void *connect_for_ever(void *argument) {
    while (true) connect_often((void *)1);
    return NULL;
}

/* HOST PORT TIMES: children forked while other threads are inside the calls; how many of them worked. */
static int fork_threaded(int count, char **arguments) {
    shared_target = target(arguments[0], arguments[1]);
    int times = atoi(arguments[2]), good = 0;
    pthread_t thread;
    for (int index = 0; index < 3; index++) pthread_create(&thread, NULL, connect_for_ever, NULL);
    for (int index = 0; index < times; index++) {
        pid_t child = fork();
        if (!child) {
            // A deadlock must end this child, not the test's patience.
            alarm(20);
            _exit((intptr_t)connect_often((void *)1) == 1 ? 0 : 1);
        }
        int status;
        waitpid(child, &status, 0);
        if (WIFEXITED(status) && !WEXITSTATUS(status)) good++;
    }
    printf("%d\n", good);
    return 0;
}

static volatile sig_atomic_t handled;

static void connect_in_handler(int number) {
    int saved = errno;
    int descriptor = socket(shared_target.address.ss_family, SOCK_STREAM, 0);
    if (!connect(descriptor, ADDRESS(shared_target), shared_target.length) && echoes(descriptor, "handler"))
        handled++;
    close(descriptor);
    errno = saved;
}

/* HOST PORT TIMES: connections made in a signal handler that interrupts malloc and connect. */
static int in_handler(int count, char **arguments) {
    shared_target = target(arguments[0], arguments[1]);
    int times = atoi(arguments[2]);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = connect_in_handler, .sa_flags = SA_RESTART}, NULL);
    struct itimerval often = {.it_interval.tv_usec = 3000, .it_value.tv_usec = 3000};
    setitimer(ITIMER_REAL, &often, NULL);
    long main_good = 0, main_tried = 0;
    while (handled < times) {
        for (int index = 0; index < 1000; index++) free(malloc(16 + index * 7));
        int descriptor = stream(&shared_target, 0);
        main_tried++;
        if (!connect(descriptor, ADDRESS(shared_target), shared_target.length) && echoes(descriptor, "main"))
            main_good++;
        close(descriptor);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    printf("handler: enough, main: %s\n", main_good == main_tried ? "all" : "some failed");
    return 0;
}

/* HOST PORT: a socket that is bound before it is connected keeps what it is bound to. */
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
    {"send-timeout", send_timeout},
    {"send-timeout-completes", send_timeout_completes},
    {"interrupted", interrupted},
    {"connected-twice", connected_twice},
    {"nonblocking", nonblocking},
    {"peer", peer},
    {"peer-of-name", peer_of_name},
    {"banner", banner},
    {"copies", copies},
    {"others", others},
    {"unreadable", unreadable},
    {"unspecified", unspecified},
    {"local", local},
    {"fast-open", fast_open},
    {"other-doors", other_doors},
    {"vfork", in_vfork},
    {"threads", threads},
    {"fork-threaded", fork_threaded},
    {"handler", in_handler},
    {"bound", bound},
    {NULL},
};
