/* datagram-unheard CASE ADDRESS: what comes to a socket that waits, and is none of the program's. The proxy at port
 * 1080 of ADDRESS and its relay are the probe itself. */
#include "flight.h"

#include <stdatomic.h>

#include "raw.h"

static int relay, stranger, fd;
static address client;
static atomic_int is_over;

static int bound(void) {
    address at = numeric("127.0.0.1", "0");
    int made = socket(AF_INET, SOCK_DGRAM, 0);
    require(made >= 0 && bind(made, &at.any, at.length) == 0);
    return made;
}

/* The proxy: it gives everybody the one relay. */
static void *serve(void *nothing) {
    unsigned char request[10], reply[10] = {5, 0, 0, 1};
    address at = {.length = sizeof at.storage};
    int control = accept_client(listening);
    answer_greeting(control);
    require(read_all(control, request, 10) && getsockname(relay, &at.any, &at.length) == 0);
    memcpy(reply + 4, &at.v4.sin_addr, 4);
    memcpy(reply + 8, &at.v4.sin_port, 2);
    require(write(control, reply, 10) == 10);
    return nothing;
}

static void open_association(int is_connected) {
    pthread_t server;
    char bytes[100];
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    relay = bound();
    stranger = bound();
    require(fd >= 0 && pthread_create(&server, NULL, serve, NULL) == 0);
    if (is_connected) require(connect(fd, &target.any, target.length) == 0);
    require(sendto(fd, "x", 1, 0, is_connected ? NULL : &target.any, is_connected ? 0 : target.length) == 1);
    require(pthread_join(server, NULL) == 0);
    client.length = sizeof client.storage;
    require(recvfrom(relay, bytes, sizeof bytes, 0, &client.any, &client.length) == 11);
}

/* Sends it from there behind a header with this FRAG, if it has one. */
static void send_from(int from, int fragment, const char *text) {
    char bytes[100] = {0, 0, (char)fragment, 1, (char)203, 0, 113, 10, 0, 80};
    size_t head = fragment < 0 ? 0 : 10;
    strcpy(bytes + head, text);
    struct iovec part = {bytes, head + strlen(text)};
    struct msghdr message = {&client.any, client.length, &part, 1, NULL, 0, 0};
    /* By no call of the library, which would carry it; on loopback it is there when the call returns. */
    require(raw(SYS_sendmsg, from, (long)&message, 0, 0, 0) == (long)part.iov_len);
}

/* How many descriptors each call says are ready. */
static void ask(const char *what) {
    struct pollfd entry = {fd, POLLIN, 0};
    fd_set readable;
    struct timeval now = {0, 0};
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    int polled = poll(&entry, 1, 0);
    int selected = select(fd + 1, &readable, NULL, NULL, &now);
    say("%s: poll %d %s, select %d\n", what, polled, event_names((unsigned)entry.revents), selected);
}

static void take(void) {
    char bytes[100];
    ssize_t length = recv(fd, bytes, sizeof bytes, 0);
    say("recv %.*s\n", (int)length, bytes);
}

static void look(void) {
    send_from(relay, -1, "garbage");
    ask("garbage");
    send_from(stranger, 0, "stranger");
    ask("a stranger's");
    send_from(relay, 1, "first ");
    ask("a fragment");
    send_from(relay, 0x82, "second");
    ask("the last fragment");
    take();
    send_from(relay, -1, "garbage");
    send_from(relay, 0, "answer");
    ask("an answer behind garbage");
    take();
    ask("nothing");
}

static void unconnected_look(void) {
    open_association(0);
    look();
}

static void connected_look(void) {
    open_association(1);
    look();
}

static void *pester(void *nothing) {
    while (!is_over) {
        send_from(relay, -1, "garbage");
        doze(10000);
    }
    return nothing;
}

/* However often something comes that is none of the program's: SO_RCVTIMEO is the call's. */
static void deadline(void) {
    pthread_t other;
    char bytes[100];
    struct timeval limit = {0, 100000};
    struct iovec part = {bytes, sizeof bytes};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    open_association(0);
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    require(pthread_create(&other, NULL, pester, NULL) == 0);
    say("recv %s\n", outcome(recv(fd, bytes, sizeof bytes, 0)));
    say("recvmmsg %s\n", outcome(recvmmsg(fd, &message, 1, 0, NULL)));
    is_over = 1;
    require(pthread_join(other, NULL) == 0);
}

int main(int count, char **arguments) {
    static const flight_case cases[] = {
        {"unconnected", unconnected_look}, {"connected", connected_look}, {"deadline", deadline}, {0},
    };
    require(count == 3);
    set_up(arguments);
    run_case(cases, arguments[1]);
}
