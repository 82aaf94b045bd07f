/* Shared code for a relayed socket that receives datagrams that are not for the program. The proxy at port 1080 of
 * the configured address, and its relay, are the probe itself. */
#pragma once

#include <stdatomic.h>

#include "pending.h"
#include "raw.h"

static int relay, stranger, fd;
static address client;

static int bound(void) {
    address at = numeric("127.0.0.1", "0");
    int made = socket(AF_INET, SOCK_DGRAM, 0);
    require(made >= 0 && bind(made, &at.any, at.length) == 0);
    return made;
}

/* The proxy, which gives all clients the same relay. */
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

/* Opens an association for `fd`, or for a new socket if `fd` is not open yet. */
static void open_association(int is_connected) {
    pthread_t server;
    char bytes[100];
    if (fd <= 0) fd = socket(AF_INET, SOCK_DGRAM, 0);
    relay = bound();
    stranger = bound();
    require(fd >= 0 && pthread_create(&server, NULL, serve, NULL) == 0);
    if (is_connected) require(connect(fd, &target.any, target.length) == 0);
    require(sendto(fd, "x", 1, 0, is_connected ? NULL : &target.any, is_connected ? 0 : target.length) == 1);
    require(pthread_join(server, NULL) == 0);
    client.length = sizeof client.storage;
    require(recvfrom(relay, bytes, sizeof bytes, 0, &client.any, &client.length) == 11);
}

/* Sends the datagram from that address, after a header with this FRAG, if it has one. */
static void send_from(int from, int fragment, const char *text) {
    char bytes[100] = {0, 0, (char)fragment, 1, (char)203, 0, 113, 10, 0, 80};
    size_t head = fragment < 0 ? 0 : 10;
    strcpy(bytes + head, text);
    struct iovec part = {bytes, head + strlen(text)};
    struct msghdr message = {&client.any, client.length, &part, 1, NULL, 0, 0};
    /* A raw call: the library would relay the datagram. On loopback it has arrived when the call returns. */
    require(raw(SYS_sendmsg, from, (long)&message, 0, 0, 0) == (long)part.iov_len);
}

static void take(void) {
    char bytes[100];
    ssize_t length = recv(fd, bytes, sizeof bytes, 0);
    say("recv %.*s\n", (int)length, bytes);
}

/* The number of descriptors that select(2) reports as readable. */
static int selected(int descriptor) {
    fd_set readable;
    struct timeval now = {0, 0};
    FD_ZERO(&readable);
    FD_SET(descriptor, &readable);
    return select(descriptor + 1, &readable, NULL, NULL, &now);
}

static atomic_int is_over;

/* Until then datagrams keep coming. */
static void *pester(void *nothing) {
    while (!is_over) {
        send_from(relay, -1, "garbage");
        doze(10000);
    }
    return nothing;
}
