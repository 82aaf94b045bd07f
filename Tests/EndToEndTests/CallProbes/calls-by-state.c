/* calls-by-state HOST PORT CLOSED-PORT: prints what every call reports about a socket in every lasting state, each
 * with a socket of its own. HOST native-4, native-6: servers of the probe itself, on loopback. */
#include "probe.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static address to, closed_address;
static char byte = 'x';

/* ----- States ----- */

static int made(int type) {
    int fd = socket(to.any.sa_family, type | SOCK_NONBLOCK, 0);
    require(fd >= 0);
    return fd;
}

static int connected_to(const address *where, int type) {
    int fd = made(type);
    if (connect(fd, &where->any, where->length) != 0) {
        struct pollfd entry = {fd, POLLOUT, 0};
        require(errno == EINPROGRESS && poll(&entry, 1, 20000) == 1);
    }
    return fd;
}

static int stream_new(void) { return made(SOCK_STREAM); }

static int stream_bound(void) {
    int fd = made(SOCK_STREAM);
    address any = to.any.sa_family == AF_INET ? numeric("0.0.0.0", "0") : numeric("::", "0");
    require(bind(fd, &any.any, any.length) == 0);
    return fd;
}

static int stream_connected(void) { return connected_to(&to, SOCK_STREAM); }

static int stream_shut_reading(void) {
    int fd = stream_connected();
    require(shutdown(fd, SHUT_RD) == 0);
    return fd;
}

static int stream_shut_writing(void) {
    int fd = stream_connected();
    require(shutdown(fd, SHUT_WR) == 0);
    return fd;
}

static int stream_failed(void) { return connected_to(&closed_address, SOCK_STREAM); }

static int stream_failed_and_told(void) {
    int fd = stream_failed(), error = 0;
    require(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error}) == 0);
    require(error == ECONNREFUSED);
    return fd;
}

static int stream_dissolved(void) {
    int fd = stream_connected();
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    require(connect(fd, &nowhere, sizeof nowhere) == 0);
    return fd;
}

static int stream_listening(void) {
    int fd = stream_bound();
    require(listen(fd, 1) == 0);
    return fd;
}

static int datagram_new(void) { return made(SOCK_DGRAM); }
static int datagram_connected(void) { return connected_to(&to, SOCK_DGRAM); }

static int datagram_dissolved(void) {
    int fd = datagram_connected();
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    require(connect(fd, &nowhere, sizeof nowhere) == 0);
    return fd;
}

static int datagram_shut(void) {
    int fd = datagram_connected();
    require(shutdown(fd, SHUT_RDWR) == 0);
    return fd;
}

static const struct {
    const char *name;
    int (*make)(void);
} states[] = {
    {"stream", stream_new},
    {"stream, bound", stream_bound},
    {"stream, connected", stream_connected},
    {"stream, shut for reading", stream_shut_reading},
    {"stream, shut for writing", stream_shut_writing},
    {"stream, failed", stream_failed},
    {"stream, failed and told", stream_failed_and_told},
    {"stream, dissolved", stream_dissolved},
    {"stream, listening", stream_listening},
    {"datagrams", datagram_new},
    {"datagrams, connected", datagram_connected},
    {"datagrams, dissolved", datagram_dissolved},
    {"datagrams, shut", datagram_shut},
};

/* ----- Calls ----- */

static struct iovec one = {&byte, 1}, none = {&byte, 0};

static long by_read(int fd) { return read(fd, &byte, 1); }
static long by_empty_read(int fd) { return read(fd, &byte, 0); }
static long by_readv(int fd) { return readv(fd, &one, 1); }
static long by_empty_readv(int fd) { return readv(fd, &none, 1); }
static long by_recv(int fd) { return recv(fd, &byte, 1, 0); }
static long by_peek(int fd) { return recv(fd, &byte, 1, MSG_PEEK); }
static long by_urgent(int fd) { return recv(fd, &byte, 1, MSG_OOB); }
static long by_recvfrom(int fd) {
    address from = {.length = sizeof from.storage};
    return recvfrom(fd, &byte, 1, 0, &from.any, &from.length);
}
static long by_recvmsg(int fd) { return recvmsg(fd, &(struct msghdr){.msg_iov = &one, .msg_iovlen = 1}, 0); }
static long by_recvmmsg(int fd) {
    return recvmmsg(fd, &(struct mmsghdr){.msg_hdr = {.msg_iov = &one, .msg_iovlen = 1}}, 1, 0, NULL);
}
static long by_wild_recv(int fd) { return recv(fd, (void *)16, 1, 0); }
static long by_write(int fd) { return write(fd, "x", 1); }
static long by_writev(int fd) { return writev(fd, &one, 1); }
static long by_empty_writev(int fd) { return writev(fd, &none, 1); }
static long by_send(int fd) { return send(fd, "x", 1, MSG_NOSIGNAL); }
static long by_sendto_nowhere(int fd) { return sendto(fd, "x", 1, MSG_NOSIGNAL, NULL, 0); }
static long by_sendmsg(int fd) {
    return sendmsg(fd, &(struct msghdr){.msg_iov = &one, .msg_iovlen = 1}, MSG_NOSIGNAL);
}
static long by_sendmmsg(int fd) {
    return sendmmsg(fd, &(struct mmsghdr){.msg_hdr = {.msg_iov = &one, .msg_iovlen = 1}}, 1, MSG_NOSIGNAL);
}
static long by_wild_send(int fd) { return send(fd, (void *)16, 1, MSG_NOSIGNAL); }
static long by_sendfile(int fd) {
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    long result = sendfile(fd, file, NULL, 1);
    int error = errno;
    close(file);
    errno = error;
    return result;
}
static long by_peer(int fd) {
    address peer = {.length = sizeof peer.storage};
    return getpeername(fd, &peer.any, &peer.length) == 0 ? peer.any.sa_family : -1;
}
static long by_peer_without_room(int fd) {
    address peer = {.length = 0};
    return getpeername(fd, &peer.any, &peer.length) == 0 ? (long)peer.length : -1;
}
static long by_name(int fd) {
    address name = {.length = sizeof name.storage};
    return getsockname(fd, &name.any, &name.length) == 0 ? name.any.sa_family : -1;
}
static long option(int fd, int level, int name) {
    int value = 0;
    return getsockopt(fd, level, name, &value, &(socklen_t){sizeof value}) == 0 ? value : -1;
}
static long by_error(int fd) { return option(fd, SOL_SOCKET, SO_ERROR); }
static long by_type(int fd) { return option(fd, SOL_SOCKET, SO_TYPE); }
static long by_domain(int fd) { return option(fd, SOL_SOCKET, SO_DOMAIN); }
static long by_protocol(int fd) { return option(fd, SOL_SOCKET, SO_PROTOCOL); }
static long by_accepting(int fd) { return option(fd, SOL_SOCKET, SO_ACCEPTCONN); }
static long by_no_delay(int fd) { return option(fd, IPPROTO_TCP, TCP_NODELAY); }
static long by_info(int fd) {
    struct tcp_info info = {0};
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof info}) == 0 ? info.tcpi_state : -1;
}
static long by_unread(int fd) {
    int count = -1;
    return ioctl(fd, FIONREAD, &count) == 0 ? count : -1;
}
static long by_unsent(int fd) {
    int count = -1;
    return ioctl(fd, TIOCOUTQ, &count) == 0 ? 0 : -1;
}
static long by_poll(int fd) {
    struct pollfd entry = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
    return poll(&entry, 1, 0) < 0 ? -1 : (unsigned short)entry.revents;
}
static long by_select(int fd) {
    fd_set sets[3];
    for (int index = 0; index < 3; index++) {
        FD_ZERO(&sets[index]);
        FD_SET(fd, &sets[index]);
    }
    if (select(fd + 1, &sets[0], &sets[1], &sets[2], &(struct timeval){0, 0}) < 0) return -1;
    return FD_ISSET(fd, &sets[0]) + 2 * FD_ISSET(fd, &sets[1]) + 4 * FD_ISSET(fd, &sets[2]);
}
static long by_connect(int fd) { return connect(fd, &to.any, to.length); }
static long by_second_connect(int fd) {
    connect(fd, &to.any, to.length);
    return connect(fd, &to.any, to.length);
}
static long by_short_connect(int fd) { return connect(fd, &to.any, 4); }
static long by_connect_nowhere(int fd) { return connect(fd, NULL, sizeof to.v4); }
static long by_dissolving(int fd) {
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    return connect(fd, &nowhere, sizeof nowhere);
}
static long by_bind(int fd) {
    address any = to.any.sa_family == AF_INET ? numeric("0.0.0.0", "0") : numeric("::", "0");
    return bind(fd, &any.any, any.length);
}
static long by_listen(int fd) { return listen(fd, 1); }
static long by_accept(int fd) { return accept(fd, NULL, NULL); }
static long by_accept4(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC); }
static long by_shut_reading(int fd) { return shutdown(fd, SHUT_RD); }
static long by_shut_writing(int fd) { return shutdown(fd, SHUT_WR); }
static long by_shut_both(int fd) { return shutdown(fd, SHUT_RDWR); }
static long by_shut_wrongly(int fd) { return shutdown(fd, 7); }

#define CALL_OF(name) {#name, by_##name}
static const struct {
    const char *name;
    long (*call)(int fd);
} calls[] = {
    CALL_OF(read), CALL_OF(empty_read), CALL_OF(readv), CALL_OF(empty_readv), CALL_OF(recv), CALL_OF(peek),
    CALL_OF(urgent), CALL_OF(recvfrom), CALL_OF(recvmsg), CALL_OF(recvmmsg), CALL_OF(wild_recv), CALL_OF(write),
    CALL_OF(writev), CALL_OF(empty_writev), CALL_OF(send), CALL_OF(sendto_nowhere), CALL_OF(sendmsg),
    CALL_OF(sendmmsg), CALL_OF(wild_send), CALL_OF(sendfile), CALL_OF(peer), CALL_OF(peer_without_room),
    CALL_OF(name), CALL_OF(error), CALL_OF(type), CALL_OF(domain), CALL_OF(protocol), CALL_OF(accepting),
    CALL_OF(no_delay), CALL_OF(info), CALL_OF(unread), CALL_OF(unsent), CALL_OF(poll), CALL_OF(select),
    CALL_OF(connect), CALL_OF(second_connect), CALL_OF(short_connect), CALL_OF(connect_nowhere),
    CALL_OF(dissolving), CALL_OF(bind), CALL_OF(listen), CALL_OF(accept), CALL_OF(accept4), CALL_OF(shut_reading),
    CALL_OF(shut_writing), CALL_OF(shut_both), CALL_OF(shut_wrongly),
};

static void serve_natively(const char *host) {
    int fd = listener(host, "0", &to);
    char port[8];
    snprintf(port, sizeof port, "%d", ntohs(to.v4.sin_port));
    int datagrams = socket(to.any.sa_family, SOCK_DGRAM, 0);
    require(bind(datagrams, &to.any, to.length) == 0);
    require(listen(fd, 1024) == 0);
    /* A bound port at which nothing listens. */
    int other = stream(&to);
    closed_address = numeric(host, "0");
    require(bind(other, &closed_address.any, closed_address.length) == 0);
    require(getsockname(other, &closed_address.any, &closed_address.length) == 0);
}

int main(int count, char **arguments) {
    require(count == 4);
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(arguments[1], "native-4") == 0) {
        serve_natively("127.0.0.1");
    } else if (strcmp(arguments[1], "native-6") == 0) {
        serve_natively("::1");
    } else {
        to = numeric(arguments[1], arguments[2]);
        closed_address = numeric(arguments[1], arguments[3]);
    }
    for (size_t state = 0; state < sizeof states / sizeof *states; state++) {
        for (size_t index = 0; index < sizeof calls / sizeof *calls; index++) {
            int fd = states[state].make();
            errno = 0;
            long result = calls[index].call(fd);
            if (result < 0) say("%s: %s = %s\n", states[state].name, calls[index].name, outcome(-1));
            else say("%s: %s = %lx\n", states[state].name, calls[index].name, (unsigned long)result);
            close(fd);
        }
    }
}
