/* pending-end CASE ADDRESS STAGE: a socket that is closed or shut down while pending, and the file that gets its
 * descriptor afterwards. */
#include "pending-epoll.h"

static enum stage at;
static int ep;
static int pipes[2];

/* Checks that the far side sees the end, or RST. */
static void say_far_end(connection *f) {
    char bytes[100];
    ssize_t length;
    if (f->far < 0) return;
    while ((length = read(f->far, bytes, sizeof bytes)) > 0) continue;
    if (length < 0 && errno != ECONNRESET) say("the far side reads %s\n", outcome(length));
    close(f->far);
}

/* Checks that a descriptor is the write end of a pipe, and nothing else. */
static void say_pipe(int fd) {
    char byte = 0;
    struct pollfd entry = {fd, POLLIN | POLLOUT, 0};
    int there = -1;
    say("poll %d", poll(&entry, 1, 0));
    say(" %s\n", event_names(entry.revents));
    say("peer %s, error %s\n", peer_of(fd), error_of(fd));
    say("write %s\n", outcome(write(fd, "x", 1)));
    say("FIONREAD %s", outcome(ioctl(pipes[0], FIONREAD, &there)));
    say(" %d\n", there);
    say("read %s\n", read(pipes[0], &byte, 1) == 1 && byte == 'x' ? "what was written" : "something else");
    say("registered %s\n", waiting(ep, 0));
    add(ep, fd, EPOLLOUT, "pipe");
    say("registered %s\n", waiting(ep, 0));
    delete(ep, fd);
}

/* Checks that a descriptor is a direct connection. */
static void say_near(int fd) {
    address near;
    int server = listener("127.0.0.1", "0", &near), new = nonblocking();
    require(dup2(new, fd) == fd && close(new) == 0);
    require(connect(fd, &near.any, near.length) == 0 || errno == EINPROGRESS);
    struct pollfd entry = {fd, POLLIN | POLLOUT, 0};
    say("near: poll %d", poll(&entry, 1, -1));
    int accepted = accept_client(server);
    char byte = 0;
    say(" %s, peer %s", event_names(entry.revents), strcmp(peer_of(fd), text_of(&near.any)) == 0 ? "near" : "far");
    require(write(fd, "x", 1) == 1 && read(accepted, &byte, 1) == 1);
    say(", wrote %c\n", byte);
    close(accepted), close(server), close(fd);
}

/* Closes by one of the existing ways, and puts a pipe at the descriptor. */
static void close_by(const char *way) {
    require(pipe(pipes) == 0);
    connection f = begin_pending(at);
    add(ep, f.fd, EPOLLIN | EPOLLOUT, "F");
    reach(&f, at);
    int fd = f.fd;
    if (strcmp(way, "close") == 0) require(close(fd) == 0);
    if (strcmp(way, "SYS_close") == 0) require(syscall(SYS_close, fd) == 0);
    if (strcmp(way, "close_range") == 0) require(close_range((unsigned)fd, (unsigned)fd, 0) == 0);
    if (strcmp(way, "fclose") == 0) require(fclose(fdopen(fd, "r+")) == 0);
    if (strcmp(way, "dup3") == 0) require(dup3(pipes[1], fd, O_CLOEXEC) == fd);
    else require(dup2(pipes[1], fd) == fd);
    say_pipe(fd);
    say_far_end(&f);
    /* The same descriptor again, for a socket. */
    say_near(fd);
    int new = nonblocking();
    if (new != fd) require(dup2(new, fd) == fd && close(new) == 0);
    struct pollfd entry = {fd, POLLIN | POLLOUT, 0};
    char byte;
    say("new socket: %d", poll(&entry, 1, 0));
    say(" %s, read %s", event_names(entry.revents), outcome(read(fd, &byte, 1)));
    say(", write %s, error %s\n", outcome(write(fd, "x", 1)), error_of(fd));
    drive = drive_by_poll;
    if (native) empty_queue();
    f = begin_with(fd, REACHED);
    reach(&f, GREETED);
    establish(&f, "");
    add(ep, fd, EPOLLOUT, "new");
    say("established %s\n", waiting(ep, -1));
    say_connected(&f, "");
}

static void by_close(void) { close_by("close"); }
static void by_number(void) { close_by("SYS_close"); }
static void by_close_range(void) { close_by("close_range"); }
static void by_fclose(void) { close_by("fclose"); }
static void by_dup2(void) { close_by("dup2"); }
static void by_dup3(void) { close_by("dup3"); }

static int to_close;

static void *close_when_asleep(void *nothing) {
    await_sleep(main_thread);
    close(to_close);
    require(write(pipes[1], "x", 1) == 1);
    return nothing;
}

/* Another thread closes the socket during a wait. */
static void while_in_epoll(void) {
    pthread_t thread;
    require(pipe(pipes) == 0);
    connection f = begin_pending(at);
    add(ep, f.fd, EPOLLIN | EPOLLOUT, "F");
    add(ep, pipes[0], EPOLLIN, "pipe");
    driving_epolls[0] = -1;
    drive = drive_by_poll;
    reach(&f, at);
    to_close = f.fd;
    require(pthread_create(&thread, NULL, close_when_asleep, NULL) == 0);
    say("%s\n", waiting(ep, -1));
    pthread_join(thread, NULL);
    say_far_end(&f);
    say("then %s\n", waiting(ep, 0));
}

static void while_in_poll(void) {
    pthread_t thread;
    require(pipe(pipes) == 0);
    connection f = begin_pending(at);
    reach(&f, at);
    to_close = f.fd;
    require(pthread_create(&thread, NULL, close_when_asleep, NULL) == 0);
    struct pollfd entries[2] = {{f.fd, POLLIN | POLLOUT, 0}, {pipes[0], POLLIN, 0}};
    int count = poll(entries, 2, -1);
    pthread_join(thread, NULL);
    /* The result of poll(2) for a descriptor that is closed during the call is undefined. */
    say("%s, %s\n", count > 0 ? "ended" : outcome(count), event_names(entries[1].revents));
    say_far_end(&f);
}

static void while_in_select(void) {
    pthread_t thread;
    require(pipe(pipes) == 0);
    connection f = begin_pending(at);
    reach(&f, at);
    to_close = f.fd;
    require(pthread_create(&thread, NULL, close_when_asleep, NULL) == 0);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(f.fd, &readable);
    FD_SET(pipes[0], &readable);
    int count = select(1 + (f.fd > pipes[0] ? f.fd : pipes[0]), &readable, NULL, NULL, NULL);
    pthread_join(thread, NULL);
    say("%s\n", (count > 0 && FD_ISSET(pipes[0], &readable)) || errno == EBADF ? "ended" : outcome(count));
    say_far_end(&f);
}

/* shutdown(2), with any argument, ends the attempt, as it ends one of the kernel. */
static void shut(int how) {
    connection f = begin_pending(at);
    add(ep, f.fd, EPOLLIN | EPOLLOUT | EPOLLET, "F");
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    say("shutdown %s\n", outcome(shutdown(f.fd, how)));
    say("registered %s\n", waiting(ep, 0));
    struct pollfd entry = {f.fd, POLLIN | POLLOUT, 0};
    say("poll %d", poll(&entry, 1, -1));
    say(" %s\n", event_names(entry.revents & (POLLERR | POLLHUP)));
    say("peer %s\n", peer_of(f.fd));
    say("error %s\n", error_of(f.fd));
    say("error %s\n", error_of(f.fd));
    say("shutdown %s\n", outcome(shutdown(f.fd, how)));
    say_far_end(&f);
}

static void shut_reading(void) { shut(SHUT_RD); }
static void shut_writing(void) { shut(SHUT_WR); }
static void shut_both(void) { shut(SHUT_RDWR); }
static void shut_wrongly(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    say("shutdown %s\n", outcome(shutdown(f.fd, 77)));
    establish(&f, "");
    add(ep, f.fd, EPOLLOUT, "F");
    say("established %s\n", waiting(ep, -1));
    say_connected(&f, "");
}

/* connect(2) with AF_UNSPEC gives the attempt up. */
static void dissolved(void) {
    connection f = begin_pending(at);
    add(ep, f.fd, EPOLLIN | EPOLLOUT, "F");
    reach(&f, at);
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    say("dissolved %s\n", outcome(connect(f.fd, &nowhere, sizeof nowhere)));
    connect_told[f.fd] = 1;
    say("registered %s\n", waiting(ep, 0));
    say("error %s\n", error_of(f.fd));
    say("peer %s\n", peer_of(f.fd));
    say_far_end(&f);
    if (native) empty_queue();
    f = begin_again(f.fd, GREETED);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_connected(&f, "");
}

/* A hundred sockets are closed at every stage, one after the other; no descriptor stays open. */
static void many(void) {
    int descriptors = descriptor_count();
    drive = drive_by_poll;
    for (int turn = 0; turn < 100; turn++) {
        connection f = begin_pending(REACHED);
        if (turn % 3 == 0) add(ep, f.fd, EPOLLOUT, "F");
        drive = drive_by_poll;
        reach(&f, REACHED + turn % 3);
        close(f.fd);
        say_far_end(&f);
    }
    say("registered %s\n", waiting(ep, 0));
    if (native) empty_queue();
    say("descriptors %+d\n", descriptor_count() - descriptors);
}

static const pending_case cases[] = {
    {"close", by_close}, {"SYS_close", by_number}, {"close_range", by_close_range}, {"fclose", by_fclose},
    {"dup2", by_dup2}, {"dup3", by_dup3}, {"while-in-epoll", while_in_epoll}, {"while-in-poll", while_in_poll},
    {"while-in-select", while_in_select}, {"shut-reading", shut_reading}, {"shut-writing", shut_writing},
    {"shut-both", shut_both}, {"shut-wrongly", shut_wrongly}, {"dissolved", dissolved}, {"many", many}, {0},
};

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    at = stage_named(arguments[3]);
    ep = new_epoll();
    run_case(cases, arguments[1]);
}
