/* chain-failover CASE ADDRESS: the probe is two proxies, at ports 1080 and 1081 of ADDRESS. The first fails during
 * the handshake, so the connection continues with the second. */
#include "probe.h"

#include <sys/epoll.h>
#include <sys/wait.h>

static int first, second;
static address destination;
static pthread_t main_thread;

static int listen_at(const char *host, const char *port) {
    address own;
    int fd = listener(host, port, &own);
    require(listen(fd, 16) == 0);
    return fd;
}

/* Ends the first proxy, and accepts the connection that then comes to the second. */
static int fail_over(void) {
    int client = accept_client(first);
    close(client);
    return accept_client(second);
}

static void serve(int client) {
    answer_greeting(client);
    answer_request(client, 0);
    require(write(client, "x", 1) == 1);
}

static void *serve_second(void *nothing) {
    serve(fail_over());
    return nothing;
}

static pthread_t in_thread(void *(*body)(void *)) {
    pthread_t thread;
    require(pthread_create(&thread, NULL, body, NULL) == 0);
    return thread;
}

static void say_connected(int fd) {
    char byte = 0;
    say("peer %s\n", peer_of(fd));
    say("byte %s\n", read(fd, &byte, 1) == 1 && byte == 'x' ? "received" : "lost");
}

static int begin(int flags) {
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    require(fd >= 0);
    say("connect %s\n", outcome(connect(fd, &destination.any, destination.length)));
    return fd;
}

/* Each mode of an epoll reports one event, once. */
static void by_epoll(unsigned flags) {
    int epoll = epoll_create1(0), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | flags, {.u64 = 7}};
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    /* The epoll reports an unconnected socket at once. */
    require(epoll_wait(epoll, &event, 1, 0) >= 0);
    if (flags & EPOLLONESHOT) {
        event = (struct epoll_event){EPOLLIN | EPOLLOUT | EPOLLRDHUP | flags, {.u64 = 7}};
        require(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0);
    }
    say("connect %s\n", outcome(connect(fd, &destination.any, destination.length)));
    pthread_t thread = in_thread(serve_second);
    int count = epoll_wait(epoll, &event, 1, -1);
    say("%d event, data %d, %s%s\n", count, (int)event.data.u64, event.events & EPOLLOUT ? "OUT" : "",
        event.events & (EPOLLERR | EPOLLHUP) ? " and an error" : "");
    pthread_join(thread, NULL);
    int error = 1;
    require(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error}) == 0);
    say("error %d\n", error);
    require(fcntl(fd, F_SETFL, 0) == 0);
    say_connected(fd);
}

/* The first connection that comes to the second proxy waits until the program has been interrupted. */
static void handle(int signal) { (void)signal; }
static volatile int was_interrupted;

static void *interrupt(void *nothing) {
    int client = fail_over();
    while (!was_interrupted) {
        pthread_kill(main_thread, SIGUSR1);
        doze(1000);
    }
    serve(client);
    return nothing;
}

static void interrupted(void) {
    struct sigaction action = {.sa_handler = handle};
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t thread = in_thread(interrupt);
    /* The first proxy exists before anything can interrupt the call. */
    int fd = begin(0);
    was_interrupted = 1;
    const char *again = outcome(connect(fd, &destination.any, destination.length));
    while (strcmp(again, "EINTR") == 0) again = outcome(connect(fd, &destination.any, destination.length));
    say("again %s\n", again);
    pthread_join(thread, NULL);
    say_connected(fd);
}

/* The child of fork finds the first proxy gone, and continues with the second for both processes. */
static void forked(void) {
    int fd = begin(SOCK_NONBLOCK);
    int client = accept_client(first);
    pid_t child = fork();
    if (child == 0) {
        close(client);
        struct pollfd waiting = {fd, POLLOUT, 0};
        require(poll(&waiting, 1, -1) == 1);
        say("child %s\n", waiting.revents & (POLLERR | POLLHUP) ? "an error" : "OUT");
        _exit(0);
    }
    close(client);
    serve(accept_client(second));
    require(waitpid(child, NULL, 0) == child);
    struct pollfd waiting = {fd, POLLOUT, 0};
    require(poll(&waiting, 1, -1) == 1);
    say("parent %s\n", waiting.revents & (POLLERR | POLLHUP) ? "an error" : "OUT");
    require(fcntl(fd, F_SETFL, 0) == 0);
    say_connected(fd);
}

static void *serve_other(void *other) {
    serve(*(int *)other);
    return NULL;
}

/* Waits until a process sleeps: killing it while it works on the connection would end the connection. */
static void await_sleep(pid_t process) {
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    while (state != 'S') {
        FILE *file = fopen(path, "r");
        require(file != NULL && fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
        fclose(file);
    }
}

/* A child that is killed between two steps leaves the connection to its parent. */
static void killed(void) {
    int fd = begin(SOCK_NONBLOCK);
    int client = accept_client(first);
    pid_t child = fork();
    if (child == 0) {
        close(client);
        struct pollfd waiting = {fd, POLLOUT, 0};
        poll(&waiting, 1, -1);
        _exit(1);
    }
    close(client);
    int other = accept_client(second);
    await_sleep(child);
    kill(child, SIGKILL);
    require(waitpid(child, NULL, 0) == child);
    pthread_t thread;
    require(pthread_create(&thread, NULL, serve_other, &other) == 0);
    struct pollfd waiting = {fd, POLLOUT, 0};
    require(poll(&waiting, 1, -1) == 1);
    say("parent %s\n", waiting.revents & (POLLERR | POLLHUP) ? "an error" : "OUT");
    pthread_join(thread, NULL);
    require(fcntl(fd, F_SETFL, 0) == 0);
    say_connected(fd);
}

int main(int count, char **arguments) {
    require(count == 3);
    alarm(50);
    signal(SIGPIPE, SIG_IGN);
    main_thread = pthread_self();
    first = listen_at(arguments[2], "1080");
    second = listen_at(arguments[2], "1081");
    destination = numeric("203.0.113.10", "80");
    const char *name = arguments[1];
    if (strcmp(name, "level") == 0) by_epoll(0);
    else if (strcmp(name, "edge") == 0) by_epoll(EPOLLET);
    else if (strcmp(name, "oneshot") == 0) by_epoll(EPOLLONESHOT);
    else if (strcmp(name, "interrupted") == 0) interrupted();
    else if (strcmp(name, "forked") == 0) forked();
    else if (strcmp(name, "killed") == 0) killed();
    else require(!"a case of this probe");
}
