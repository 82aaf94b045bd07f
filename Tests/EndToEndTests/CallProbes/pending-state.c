/* pending-state STAGE ADDRESS: prints what every call reports about a pending socket at this stage, and about the
 * same socket when the connection is established. */
#include "pending-calls.h"

static void say_call(const char *name, ssize_t result) { say("%s: %s\n", name, result < 0 ? outcome(-1) : "done"); }

static const char *selected(int fd) {
    fd_set sets[3];
    for (int index = 0; index < 3; index++) {
        FD_ZERO(&sets[index]);
        FD_SET(fd, &sets[index]);
    }
    struct timeval none = {0, 0};
    static char text[40];
    int count = select(fd + 1, &sets[0], &sets[1], &sets[2], &none);
    snprintf(text, sizeof text, "%d%s%s%s", count, FD_ISSET(fd, &sets[0]) ? " read" : "",
        FD_ISSET(fd, &sets[1]) ? " write" : "", FD_ISSET(fd, &sets[2]) ? " except" : "");
    return text;
}

static void say_state(connection *f) {
    int fd = f->fd;
    int there = -1;
    require(ioctl(fd, FIONREAD, &there) == 0);
    say("FIONREAD: %d\n", there);
    say("connect: %s\n", connect_to_target(fd));
    say("peer: %s\n", peer_of(fd));
    say("error: %s\n", error_of(fd));
    for (const one_byte_call *call = reading_calls; call->name; call++) say_call(call->name, call->call(fd));
    for (const one_byte_call *call = writing_calls; call->name; call++) say_call(call->name, call->call(fd));
    say_call("read of nothing", read(fd, &heard, 0));
    say_call("readv of nothing", readv(fd, &(struct iovec){&heard, 0}, 1));
    say_call("writev of nothing", writev(fd, &(struct iovec){spoken, 0}, 1));
    say_call("readv of no parts", readv(fd, NULL, 0));
    say_call("recv of nothing", recv(fd, &heard, 0, 0));
    say_call("send of nothing", send(fd, spoken, 0, 0));
    say_call("write of nothing", write(fd, spoken, 0));
    say_call("MSG_OOB", recv(fd, &heard, 1, MSG_OOB));
    struct msghdr urgent = {.msg_iov = into(), .msg_iovlen = 1};
    say_call("MSG_OOB of recvmsg", recvmsg(fd, &urgent, MSG_OOB));
    say_call("sending MSG_OOB", send(fd, spoken, 1, MSG_OOB));
    struct tcp_info info;
    require(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof info}) == 0);
    say("TCP_INFO: %d\n", info.tcpi_state);
    say_call("MSG_PEEK", recv(fd, &heard, 1, MSG_PEEK));
    say_call("MSG_DONTWAIT", send(fd, spoken, 1, MSG_DONTWAIT));
    struct pollfd entry = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
    say("poll: %d\n", poll(&entry, 1, 0));
    say("select: %s\n", selected(fd));
    int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP, {.u64 = 1}};
    require(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0);
    say("epoll: %d\n", epoll_wait(ep, &event, 1, 0));
    close(ep);
}

int main(int count, char **arguments) {
    require(count == 3);
    set_up(arguments);
    enum stage stage = stage_named(arguments[1]);
    connection f = begin_pending(stage);
    reach(&f, stage);
    say_state(&f);
    establish(&f, "early bird");
    struct pollfd entry = {f.fd, POLLOUT, 0};
    int ready = poll(&entry, 1, -1);
    say("established: %d %s\n", ready, event_names(entry.revents));
    say_connected(&f, "early bird");
}
