/* datagram-life NAME HOST PORT: processes, descriptors, threads and signals around a relayed socket, and several
 * peers. */
#include "datagram.h"

#include <sys/resource.h>

/* ask what answers to what. */
static void ask(const char *what, int fd) {
    send_text(fd, what);
    receive("answer", fd, 64, 0);
}

static void reap(pid_t child) {
    int status;
    require(waitpid(child, &status, 0) == child);
    say("child: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void forking(char **arguments unused) {
    int fd = unconnected(), idle = connected();
    ask("parent", fd);
    pid_t child = fork();
    if (child == 0) {
        ask("child", fd);
        ask("child on an idle one", idle);
        int own = unconnected();
        ask("child on its own", own);
        close(fd);
        _exit(0);
    }
    reap(child);
    ask("parent again", fd);
    ask("parent on an idle one", idle);
    child = fork();
    if (child == 0) {
        require(close(fd) == 0);
        _exit(0);
    }
    reap(child);
    ask("parent after the child's close", fd);
    /* The parent closes the socket; the child continues. */
    int pipes[2];
    char byte;
    require(pipe(pipes) == 0);
    child = fork();
    if (child == 0) {
        close(pipes[1]);
        require(read(pipes[0], &byte, 1) == 0);
        ask("child after the parent's close", fd);
        _exit(0);
    }
    close(fd);
    close(pipes[1]);
    reap(child);
}

/* The process that sends first takes its control connection with it when it ends. A datagram that another process
 * sends right after that is not lost. */
static void heirs(char **arguments unused) {
    for (int count = 0; count < 50; count++) {
        int fd = count % 2 ? connected() : unconnected();
        pid_t child = fork();
        if (child == 0) {
            ask("child", fd);
            _exit(0);
        }
        reap(child);
        ask("parent", fd);
        require(close(fd) == 0);
    }
}

static void duplicates(char **arguments unused) {
    int fd = unconnected(), early = dup(fd);
    ask("first", fd);
    ask("by an early duplicate", early);
    int copy = dup(fd), high = fcntl(fd, F_DUPFD_CLOEXEC, 500), other = unconnected();
    ask("by a duplicate", copy);
    ask("by a high duplicate", high);
    require(dup2(fd, other) == other);
    ask("by dup2", other);
    require(dup3(fd, 77, O_CLOEXEC) == 77);
    ask("by dup3", 77);
    require(close(fd) == 0);
    ask("after the first's close", copy);
    require(close(early) == 0 && close(high) == 0 && close(other) == 0 && close(77) == 0);
    ask("the last", copy);
    require(connect(copy, &far.any, far.length) == 0);
    int last = dup(copy);
    require(close(copy) == 0);
    say("peer %s\n", strcmp(peer_of(last), text_of(&far.any)) == 0 ? "as connected to" : peer_of(last));
    require(send(last, "connected", 9, 0) == 9);
    receive("answer", last, 64, 0);
    /* The descriptor now belongs to something else. */
    int pipes[2];
    require(pipe(pipes) == 0 && dup2(pipes[1], last) == last);
    require(write(last, "x", 1) == 1 && read(pipes[0], &(char){0}, 1) == 1);
    say("a pipe is a pipe\n");
}

static void passing(char **arguments unused) {
    int pair[2], fd = unconnected();
    require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    ask("before", fd);
    pass_descriptor(pair[0], fd);
    int copy = take_descriptor(pair[1]);
    ask("passed", copy);
    close(fd);
    ask("after the first's close", copy);
    /* Passed to a child that existed before the socket. */
    pid_t child = fork();
    if (child == 0) {
        int given = take_descriptor(pair[1]);
        require(read(pair[1], &(char){0}, 1) == 1);
        ask("by the child", given);
        _exit(0);
    }
    int later = unconnected();
    ask("before", later);
    pass_descriptor(pair[0], later);
    close(later);
    /* Not earlier: datagrams in transit are lost with the relay. */
    require(write(pair[0], "x", 1) == 1);
    reap(child);
}

/* While a connection is pending for which nothing waits. */
static void beside_pending(char **arguments unused) {
    int fd = connected(), copy = dup(fd), pending = socket(far.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    require(send(fd, "before", 6, 0) == 6);
    receive("answer", fd, 64, 0);
    connect(pending, &far.any, far.length);
    require(close(fd) == 0);
    require(send(copy, "after the first's close", 23, 0) == 23);
    receive("answer", copy, 64, 0);
}

static void connecting_again(char **arguments) {
    address other = numeric(arguments[0], arguments[1]);
    int fd = unconnected();
    require(connect(fd, &far.any, far.length) == 0);
    send(fd, "first peer", 10, 0);
    receive("recvmsg", fd, 64, 0);
    require(connect(fd, &other.any, other.length) == 0);
    say("peer %s\n", strcmp(peer_of(fd), text_of(&other.any)) == 0 ? "the second" : "another");
    send(fd, "second peer", 11, 0);
    char bytes[64];
    address from = {.length = sizeof from.storage};
    ssize_t result = recvfrom(fd, bytes, sizeof bytes, 0, &from.any, &from.length);
    say("%.*s from %s\n", (int)result, bytes, strcmp(text_of(&from.any), peer_of(fd)) == 0 ? "the peer" : "another");
    /* Datagrams from the first peer are not for the socket now. */
    send_text(fd, "to the first");
    send(fd, "to the second", 13, 0);
    result = recv(fd, bytes, sizeof bytes, 0);
    say("%.*s\n", (int)result, bytes);
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    say("AF_UNSPEC: %s\n", outcome(connect(fd, &nobody, sizeof nobody)));
    say("peer %s\n", peer_of(fd));
    say("send: %s\n", outcome(send(fd, "x", 1, 0)));
    send_text(fd, "by address");
    receive("recvmsg", fd, 64, 0);
    require(connect(fd, &far.any, far.length) == 0);
    send(fd, "connected again", 15, 0);
    receive("recvmsg", fd, 64, 0);
}

/* One socket sends to several destinations in turn. */
static void several_destinations(char **arguments) {
    address others[3] = {far, numeric(arguments[0], arguments[1]), numeric(arguments[2], arguments[3])};
    int fd = unconnected();
    for (int round = 0; round < 2; round++)
        for (int index = 0; index < 3; index++) {
            char text[] = "to 0", bytes[64];
            text[3] = (char)('0' + index);
            require(sendto(fd, text, 4, 0, &others[index].any, others[index].length) == 4);
            address from = {.length = sizeof from.storage};
            ssize_t result = recvfrom(fd, bytes, sizeof bytes, 0, &from.any, &from.length);
            int right = from.length == others[index].length &&
                        memcmp(&from.storage, &others[index].storage, from.length) == 0;
            say("%.*s from %s\n", (int)result, bytes, right ? "there" : text_of(&from.any));
        }
    struct iovec parts[3] = {{"a", 1}, {"b", 1}, {"c", 1}};
    struct mmsghdr messages[3];
    for (int index = 0; index < 3; index++)
        messages[index] = (struct mmsghdr){.msg_hdr = {.msg_name = &others[index].any,
            .msg_namelen = others[index].length, .msg_iov = &parts[index], .msg_iovlen = 1}};
    say("sendmmsg: %d\n", sendmmsg(fd, messages, 3, 0));
    int sum = 0;
    for (int index = 0; index < 3; index++) {
        char byte = 0;
        require(recv(fd, &byte, 1, 0) == 1);
        sum += byte;
    }
    say("all came: %d\n", sum == 'a' + 'b' + 'c');
}

/* The library's own descriptor is high, is closed on exec, and cannot be closed by the program. */
static void own_descriptor(char **arguments unused) {
    int fd = unconnected(), before[2] = {-1, -1}, own = -1, count = descriptor_count();
    ask("first", fd);
    say("descriptors +%d\n", descriptor_count() - count);
    for (int number = 3; number < 70000; number++)
        if (number != fd && syscall(SYS_fcntl, number, F_GETFD) >= 0) own = number;
    say("high: %d, FD_CLOEXEC: %d\n", own >= 768, fcntl(own, F_GETFD));
    say("close: %s\n", outcome(close(own)));
    ask("still there", fd);
    before[0] = before[1] = own;
    require(close_range(before[0], (unsigned)before[1], 0) == 0);
    int copy = -1;
    struct timespec tick = {0, 20000000};
    nanosleep(&tick, NULL);
    ask("after close_range", fd);
    require(dup2(fd, 200) == 200);
    copy = dup2(200, 2);
    require(copy == 2);
    closefrom(3);
    nanosleep(&tick, NULL);
    ask("after closefrom", 2);
    close(2);
    say("descriptors -%d\n", count - descriptor_count());
}

static void closing(char **arguments unused) {
    enum { COUNT = 200 };
    struct rlimit limit = {4096, 4096};
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int sockets[COUNT], before = descriptor_count();
    for (int round = 0; round < 4; round++) {
        for (int index = 0; index < COUNT; index++) {
            sockets[index] = unconnected();
            require(sendto(sockets[index], "x", 1, 0, &far.any, far.length) == 1);
            require(recv(sockets[index], &(char){0}, 1, 0) == 1);
        }
        for (int index = 0; index < COUNT; index++) {
            if (round == 0) {
                close(sockets[index]);
            } else if (round == 1) {
                fclose(fdopen(sockets[index], "r+"));
            } else if (round == 2) {
                syscall(SYS_close, sockets[index]);
            } else {
                shutdown(sockets[index], SHUT_RDWR);
                close_range((unsigned)sockets[index], (unsigned)sockets[index], 0);
            }
        }
        /* The library finds a close that it missed when it relays other sockets. */
        for (int index = 0; round == 1 && index < COUNT; index++) {
            int fd = unconnected();
            require(sendto(fd, "x", 1, 0, &far.any, far.length) == 1);
            require(recv(fd, &(char){0}, 1, 0) == 1);
            close(fd);
        }
        say("round %d: descriptors +%d\n", round, descriptor_count() - before);
    }
}

enum { EACH = 300, THREADS = 4 };
static int shared, answered;
static unsigned char seen[THREADS][EACH];

static void *talk(void *number) {
    unsigned char message[3] = {(unsigned char)(size_t)number};
    for (int index = 0; index < EACH; index++) {
        message[1] = (unsigned char)(index >> 8), message[2] = (unsigned char)index;
        require(sendto(shared, message, 3, 0, &far.any, far.length) == 3);
        /* Any answer counts. */
        require(recv(shared, message, 3, 0) == 3);
        __atomic_add_fetch(&answered, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&seen[message[0]][message[1] << 8 | message[2]], 1, __ATOMIC_SEQ_CST);
        message[0] = (unsigned char)(size_t)number;
    }
    return NULL;
}

static void threads(char **arguments unused) {
    shared = unconnected();
    pthread_t all[THREADS];
    for (size_t index = 0; index < THREADS; index++)
        require(pthread_create(&all[index], NULL, talk, (void *)index) == 0);
    for (int index = 0; index < THREADS; index++) require(pthread_join(all[index], NULL) == 0);
    int once = 0;
    for (int index = 0; index < THREADS * EACH; index++) once += seen[index / EACH][index % EACH] == 1;
    say("%d answers, %d once\n", answered, once);
}

/* A thread receives before the program has sent anything. */
static void *receive_first(void *number) {
    __atomic_store_n((pid_t *)number, gettid(), __ATOMIC_SEQ_CST);
    for (int index = 0; index < 2; index++) receive("recvmsg", shared, 64, 0);
    return NULL;
}

static void await_sleep(const pid_t *thread) {
    char path[64], text[512] = "x) R";
    while (!__atomic_load_n(thread, __ATOMIC_SEQ_CST)) sched_yield();
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", *thread);
    while (strrchr(text, ')')[2] != 'S') {
        sched_yield();
        int file = open(path, O_RDONLY);
        require(file >= 0 && read(file, text, sizeof text - 1) > 0);
        close(file);
    }
}

static void receiving_first(char **arguments unused) {
    shared = unconnected();
    address any = numeric(far.any.sa_family == AF_INET ? "0.0.0.0" : "::", "0");
    require(bind(shared, &any.any, any.length) == 0);
    pid_t id = 0;
    pthread_t thread;
    require(pthread_create(&thread, NULL, receive_first, &id) == 0);
    await_sleep(&id);
    send_text(shared, "to a thread that waits already");
    send_text(shared, "once more");
    require(pthread_join(thread, NULL) == 0);
}

static volatile int interruptions, sent_by_handler;

static void send_in_handler(int signal unused) {
    int error = errno;
    interruptions++;
    if (sendto(shared, "handler", 7, MSG_DONTWAIT, &far.any, far.length) == 7) sent_by_handler++;
    errno = error;
}

static void signals(char **arguments unused) {
    shared = unconnected();
    require(setsockopt(shared, SOL_SOCKET, SO_RCVBUF, &(int){1 << 22}, sizeof(int)) == 0);
    struct sigaction action = {.sa_handler = send_in_handler, .sa_flags = SA_RESTART};
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        for (int index = 0; index < 200; index++) {
            doze(200);
            kill(parent, SIGUSR1);
        }
        _exit(0);
    }
    int answers = 0;
    for (int index = 0; index < 500; index++) {
        char bytes[16];
        require(sendto(shared, "main", 4, 0, &far.any, far.length) == 4);
        ssize_t result;
        do {
            result = recv(shared, bytes, sizeof bytes, 0);
            require(result == 4 || result == 7);
        } while (result != 4);
        answers++;
    }
    int status;
    while (waitpid(child, &status, 0) != child) {}
    say("%d answers, %s interrupted, %s sent\n", answers, interruptions > 0 ? "was" : "not",
        sent_by_handler > 0 ? "some" : "none");
}

SCENARIOS({"forking", forking}, {"heirs", heirs}, {"duplicates", duplicates}, {"passing", passing},
          {"beside-pending", beside_pending}, {"again", connecting_again}, {"several", several_destinations},
          {"own", own_descriptor}, {"closing", closing}, {"threads", threads}, {"receiving-first", receiving_first},
          {"signals", signals})
