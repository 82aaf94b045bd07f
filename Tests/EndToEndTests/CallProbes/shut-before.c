/* shut-before HOW HOST PORT: connects sockets after shutdown(2), and prints their state then. HOW: reading, writing,
 * both. HOST native: a listener of the probe itself. */
#include "probe.h"

static int how;

static void say_state(int fd) {
    char byte;
    struct pollfd entry = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    int ready = poll(&entry, 1, 0);
    say("poll %d %x\n", ready, (unsigned short)entry.revents);
    ssize_t written = write(fd, "x", 1);
    say("write %s\n", written < 0 ? outcome(-1) : "done");
    ssize_t length = recv(fd, &byte, 1, MSG_DONTWAIT);
    say("recv %s\n", length < 0 ? outcome(-1) : length ? "a byte" : "the end");
}

static void connect_shut(const address *to, int is_nonblocking) {
    int fd = socket(to->any.sa_family, SOCK_STREAM | (is_nonblocking ? SOCK_NONBLOCK : 0), 0);
    say("shutdown %s\n", outcome(shutdown(fd, how)));
    int result = connect(fd, &to->any, to->length);
    if (is_nonblocking) {
        struct pollfd entry = {fd, POLLOUT, 0};
        require(result < 0 && errno == EINPROGRESS);
        while (connect(fd, &to->any, to->length) != 0) require(errno == EALREADY && poll(&entry, 1, 1) >= 0);
    } else {
        say("connect %s\n", outcome(result));
    }
    if (how != SHUT_RDWR) say_state(fd);
    else say("peer %s\n", strcmp(peer_of(fd), text_of(&to->any)) == 0 ? "as connected to" : peer_of(fd));
    close(fd);
    /* A call that ends an attempt ends this one, too. */
    fd = stream(to);
    shutdown(fd, how);
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    require(connect(fd, &nowhere, sizeof nowhere) == 0 && connect(fd, &to->any, to->length) == 0);
    say("write %s\n", write(fd, "x", 1) == 1 ? "done" : outcome(-1));
    close(fd);
}

int main(int count, char **arguments) {
    require(count == 4);
    signal(SIGPIPE, SIG_IGN);
    how = strcmp(arguments[1], "reading") == 0 ? SHUT_RD : strcmp(arguments[1], "writing") == 0 ? SHUT_WR : SHUT_RDWR;
    address to;
    if (strcmp(arguments[2], "native") == 0) listener("127.0.0.1", "0", &to);
    else to = numeric(arguments[2], arguments[3]);
    connect_shut(&to, 0);
    connect_shut(&to, 1);
}
