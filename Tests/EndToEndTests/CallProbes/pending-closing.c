/* pending-closing WAY ADDRESS STAGE WATCHERS: closes a socket while it is pending, by each WAY that exists. The far
 * side sees the end without a further call of the program, and no descriptor stays open. WATCHERS: none, or epolls.
 *
 * pending-closing WAY ADDRESS often: closes more sockets in this way, one after the other, than the table has slots;
 * then connects one more. */
#include "pending-epoll.h"

static int spare = -1;

static void by_close(int fd) { require(close(fd) == 0); }
static void by_number(int fd) { require(syscall(SYS_close, fd) == 0); }
static void by_close_range(int fd) { require(close_range((unsigned)fd, (unsigned)fd, 0) == 0); }
static void by_closefrom(int fd) {
    require(dup2(fd, 500) == 500 && close(fd) == 0);
    closefrom(500);
}
static void by_fclose(int fd) { require(fclose(fdopen(fd, "r+")) == 0); }
static void by_dup2(int fd) { require(dup2(spare, fd) == fd && close(fd) == 0); }
static void by_dup3(int fd) { require(dup3(spare, fd, O_CLOEXEC) == fd && close(fd) == 0); }
static void by_shutdown(int fd) { require(shutdown(fd, SHUT_RDWR) == 0); }
static void by_dissolving(int fd) {
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    require(connect(fd, &nowhere, sizeof nowhere) == 0);
}
/* The last of two descriptors. */
static void by_both(int fd) {
    int second = dup(fd);
    require(second >= 0 && close(fd) == 0 && close(second) == 0);
}

static const struct {
    const char *name;
    void (*close)(int fd);
    int leaves_open;
} ways[] = {
    {"close", by_close, 0}, {"SYS_close", by_number, 0}, {"close_range", by_close_range, 0},
    {"closefrom", by_closefrom, 0}, {"fclose", by_fclose, 0}, {"dup2", by_dup2, 0}, {"dup3", by_dup3, 0},
    {"both", by_both, 0}, {"shutdown", by_shutdown, 1}, {"dissolved", by_dissolving, 1}, {0},
};

/* Waits for the end at the far side, without the library. */
static void say_far_end(connection *f) {
    char bytes[100];
    long length;
    while ((length = read(f->far, bytes, sizeof bytes)) > 0) continue;
    say("the far side: %s\n", length == 0 || errno == ECONNRESET ? "the end" : outcome(length));
    close(f->far);
}

static void once(int way, enum stage at, int is_watched) {
    int epolls[2] = {new_epoll(), new_epoll()}, descriptors = descriptor_count(), fd = nonblocking();
    if (is_watched) add(epolls[0], fd, EPOLLIN | EPOLLOUT, "before");
    connection f = begin_with(fd, at);
    if (is_watched) add(epolls[1], fd, EPOLLIN | EPOLLOUT | EPOLLET, "pending");
    reach(&f, at);
    ways[way].close(fd);
    say_far_end(&f);
    if (ways[way].leaves_open) close(fd);
    say("epolls: %s, %s\n", waiting(epolls[0], 0), waiting(epolls[1], 0));
    say("descriptors %+d\n", descriptor_count() - descriptors);
}

static void often(int way) {
    /* Neither side keeps its port. */
    struct linger at_once = {1, 0};
    int descriptors = descriptor_count();
    for (int turn = 0; turn < 20000; turn++) {
        int fd = nonblocking();
        require(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
        begin_with(fd, REACHED);
        int far = accept_client(listening);
        ways[way].close(fd);
        if (ways[way].leaves_open) close(fd);
        close(far);
    }
    say("descriptors %+d\n", descriptor_count() - descriptors);
    connection f = begin_pending(REACHED);
    establish(&f, "");
    struct pollfd entry = {f.fd, POLLOUT, 0};
    say("poll %d\n", poll(&entry, 1, -1));
    say_connected(&f, "");
}

int main(int count, char **arguments) {
    require(count == 4 || count == 5);
    set_up(arguments);
    spare = open("/dev/null", O_RDONLY);
    int way = 0;
    while (ways[way].name && strcmp(ways[way].name, arguments[1]) != 0) way++;
    require(ways[way].name);
    if (count == 4) often(way);
    else once(way, stage_named(arguments[3]), strcmp(arguments[4], "epolls") == 0);
}
