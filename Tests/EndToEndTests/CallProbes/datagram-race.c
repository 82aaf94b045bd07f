/* datagram-race ADDRESS DATAGRAMS: four threads each send DATAGRAMS datagrams and receive the answers, by sockets of
 * their own and by two that all threads share. They wait in an epoll that all share, and close sockets at random
 * times. The proxy is another thread, which echoes the datagrams at its relay and ends associations at random times. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 4, SHARED = 2, CONTROLS = 256 };

static int datagrams, set, shared[SHARED], listener, relay;
static struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = 0x0700};
static atomic_int back, given_up, wrong, is_over;

static void require(int condition, const char *what) {
    if (condition) return;
    perror(what);
    _exit(1);
}

static void complain(const char *what) {
    if (wrong++ < 5) printf("%s: %s\n", what, strerror(errno));
}

static void complete(int fd, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t received = read(fd, (char *)bytes + done, count - done);
        if (received <= 0) return;
        done += (size_t)received;
    }
}

static void *serve(void *unused) {
    int controls[CONTROLS] = {0}, next = 0;
    unsigned random = 5;
    while (!is_over) {
        struct pollfd ready[2] = {{listener, POLLIN, 0}, {relay, POLLIN, 0}};
        poll(ready, 2, 10);
        if (ready[0].revents) {
            unsigned char question[32], answer[10] = {5, 0, 0, 1, 127, 0, 1, 1};
            int fd = accept(listener, NULL, NULL);
            complete(fd, question, 3);
            if (write(fd, "\5\0", 2) != 2 && errno != EPIPE) complain("method");
            complete(fd, question, 10);
            struct sockaddr_in name;
            socklen_t length = sizeof name;
            getsockname(relay, (struct sockaddr *)&name, &length);
            memcpy(answer + 8, &name.sin_port, 2);
            if (write(fd, answer, 10) != 10 && errno != EPIPE) complain("reply");
            if (controls[next]) close(controls[next]);
            controls[next] = fd;
            next = (next + 1) % CONTROLS;
        }
        for (int turn = 0; turn < 64; turn++) {
            char bytes[2048];
            struct sockaddr_in from;
            socklen_t length = sizeof from;
            ssize_t count = recvfrom(relay, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
            if (count < 0) break;
            sendto(relay, bytes, (size_t)count, 0, (struct sockaddr *)&from, length);
        }
        if (rand_r(&random) % 512 == 0) {
            int ended = rand_r(&random) % CONTROLS;
            if (controls[ended]) close(controls[ended]);
            controls[ended] = 0;
        }
    }
    return unused;
}

static int make(int is_connected) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    require(fd >= 0, "socket");
    if (is_connected) require(connect(fd, (struct sockaddr *)&target, sizeof target) == 0, "connect");
    return fd;
}

static void take(int fd) {
    unsigned words[32];
    struct sockaddr_in from = {0};
    socklen_t length = sizeof from;
    ssize_t count = recvfrom(fd, words, sizeof words, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    if (count < 0) {
        if (errno != EAGAIN) complain("receive");
        return;
    }
    if (count != (ssize_t)sizeof words || words[0] * 31 != words[31]) complain("what came back");
    if (from.sin_addr.s_addr != target.sin_addr.s_addr || from.sin_port != target.sin_port) complain("from where");
    back++;
}

static void *exchange(void *argument) {
    unsigned random = (unsigned)(intptr_t)argument * 7 + 1;
    int own = make(1);
    for (int turn = 0; turn < datagrams; turn++) {
        unsigned kind = rand_r(&random) / 8 % 8;
        int fd = kind < 2 ? shared[kind % SHARED] : own;
        unsigned words[32] = {(unsigned)turn};
        words[31] = words[0] * 31;
        ssize_t sent = kind % 2 ? sendto(fd, words, sizeof words, 0, (struct sockaddr *)&target, sizeof target)
                                : send(fd, words, sizeof words, 0);
        if (sent < 0 && errno != EAGAIN && !(fd == shared[1] && errno == EDESTADDRREQ)) complain("send");
        struct epoll_event event = {EPOLLIN, {.fd = own}};
        if (kind == 7) epoll_ctl(set, EPOLL_CTL_ADD, own, &event);
        struct epoll_event events[4];
        int count = epoll_wait(set, events, 4, (int)(kind % 3));
        for (int index = 0; index < count; index++)
            if (events[index].data.fd == own || events[index].data.fd == shared[0]) take(events[index].data.fd);
        take(own);
        take(shared[kind % SHARED]);
        if (rand_r(&random) / 8 % 16) continue;
        close(own);
        given_up++;
        own = make(rand_r(&random) / 8 % 2);
        if (sendto(own, words, sizeof words, 0, (struct sockaddr *)&target, sizeof target) < 0) complain("first send");
        connect(own, (struct sockaddr *)&target, sizeof target);
    }
    close(own);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    datagrams = atoi(argv[2]);
    struct sockaddr_in proxy = {.sin_family = AF_INET, .sin_port = htons(1080)};
    require(inet_aton(argv[1], &proxy.sin_addr) && inet_aton("198.51.100.1", &target.sin_addr), "address");
    /* A client may be gone before its answer. */
    signal(SIGPIPE, SIG_IGN);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    require(bind(listener, (struct sockaddr *)&proxy, sizeof proxy) == 0 && listen(listener, 100) == 0, "listen");
    proxy.sin_port = 0;
    relay = socket(AF_INET, SOCK_DGRAM, 0);
    require(bind(relay, (struct sockaddr *)&proxy, sizeof proxy) == 0, "bind");
    set = epoll_create1(0);
    for (int index = 0; index < SHARED; index++) shared[index] = make(index == 0);
    struct epoll_event event = {EPOLLIN, {.fd = shared[0]}};
    epoll_ctl(set, EPOLL_CTL_ADD, shared[0], &event);
    pthread_t server, threads[THREADS];
    pthread_create(&server, NULL, serve, NULL);
    for (intptr_t index = 0; index < THREADS; index++) pthread_create(&threads[index], NULL, exchange, (void *)index);
    for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
    is_over = 1;
    pthread_join(server, NULL);
    printf("%s back, %s given up, wrong %d\n", back ? "some" : "none", given_up ? "some" : "none", wrong);
    fprintf(stderr, "%d back, %d given up\n", back, given_up);
    return 0;
}
