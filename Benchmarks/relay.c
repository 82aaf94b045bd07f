// relay plain|socks ADDRESS PORT
//
// The far end of datagrams, as a target (`plain`) or as a SOCKS5 proxy with a relay (`socks`). The proxy sends to none:
// it is the target itself, whatever the address in a header, and the header of what it got is that of the answer. So
// both cost the same, and what is left to measure is the client's. What is meant for the one is dropped by the other.
//
// A datagram's first byte says what becomes of it: 'e', it is sent back; 'b', it is sent back as often as the second
// byte says, as 'e'; anything else, nothing.

#define _GNU_SOURCE
#include "bench.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

enum { batch = 64, largest = 2048, headerLength = 10, mostAnswers = 255 };

static struct sockaddr_in address;
static int listener, relay;
static bool speaksSOCKS;

// ----- Connections --------------------------------------------------------------------------------------------------

static bool received(int fd, unsigned char *bytes, size_t count) {
    return recv(fd, bytes, count, MSG_WAITALL) == (ssize_t)count;
}

static bool sent(int fd, const void *bytes, size_t count) {
    return send(fd, bytes, count, MSG_NOSIGNAL) == (ssize_t)count;
}

/// Associates the client with the relay, and waits until it goes.
static void serve(int fd) {
    unsigned char bytes[256];

    // VER, NMETHODS, METHODS.
    if (!received(fd, bytes, 2) || bytes[0] != 5) return;
    size_t methods = bytes[1];
    if (!received(fd, bytes, methods) || !memchr(bytes, 0, methods) || !sent(fd, "\x05\x00", 2)) return;
    // VER, CMD (UDP ASSOCIATE), RSV, ATYP (IPv4), DST.ADDR, DST.PORT.
    if (!received(fd, bytes, 10) || bytes[0] != 5 || bytes[1] != 3 || bytes[3] != 1) return;
    // VER, REP, RSV, ATYP, BND.ADDR, BND.PORT.
    unsigned char reply[10] = {5, 0, 0, 1};
    memcpy(reply + 4, &address.sin_addr, 4);
    memcpy(reply + 8, &address.sin_port, 2);
    if (sent(fd, reply, sizeof reply)) recv(fd, bytes, 1, 0);
}

/// One client after the other.
static void *serveClients(void *nothing) {
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0 && errno != ECONNABORTED && errno != EINTR) fail("accept");
        if (fd < 0) continue;
        if (speaksSOCKS) serve(fd);
        close(fd);
    }
    return nothing;
}

// ----- Datagrams ----------------------------------------------------------------------------------------------------

static struct mmsghdr arrivals[batch], answers[batch * mostAnswers];
static struct iovec arrivalParts[batch], answerParts[batch];
static struct sockaddr_in sources[batch];
static unsigned char buffers[batch][largest];

/// What follows the header; NULL for what came to the wrong place.
static unsigned char *payload(unsigned char *datagram, size_t length) {
    // RSV, FRAG, ATYP (IPv4); a plain datagram begins with a letter.
    bool hasHeader = length >= headerLength && memcmp(datagram, "\0\0\0\x01", 4) == 0;
    size_t start = hasHeader ? headerLength : 0;
    return hasHeader == speaksSOCKS && length >= start + 2 ? datagram + start : NULL;
}

static unsigned answersTo(unsigned char *payload) {
    if (!payload || (payload[0] != 'e' && payload[0] != 'b')) return 0;
    unsigned count = payload[0] == 'b' ? payload[1] : 1;
    payload[0] = 'e';
    return count;
}

static void answerSome(void) {
    for (int i = 0; i < batch; i++) {
        arrivalParts[i] = (struct iovec){buffers[i], largest};
        arrivals[i].msg_hdr = (struct msghdr){
            .msg_name = &sources[i],
            .msg_namelen = sizeof sources[i],
            .msg_iov = &arrivalParts[i],
            .msg_iovlen = 1,
        };
    }
    int arrived = recvmmsg(relay, arrivals, batch, MSG_WAITFORONE, NULL);
    if (arrived < 0 && errno != EINTR) fail("recvmmsg");

    unsigned count = 0;
    for (int i = 0; i < arrived; i++) {
        answerParts[i] = (struct iovec){buffers[i], arrivals[i].msg_len};
        for (unsigned left = answersTo(payload(buffers[i], arrivals[i].msg_len)); left > 0; left--) {
            answers[count].msg_hdr = arrivals[i].msg_hdr;
            answers[count++].msg_hdr.msg_iov = &answerParts[i];
        }
    }
    for (unsigned done = 0; done < count;) {
        int gone = sendmmsg(relay, answers + done, count - done, 0);
        // A client that has ended is passed over.
        done += gone > 0 ? (unsigned)gone : 1;
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return fprintf(stderr, "usage: relay plain|socks ADDRESS PORT\n"), 2;
    speaksSOCKS = strcmp(argv[1], "socks") == 0;
    address = endpoint(argv[2], argv[3]);

    relay = socket(AF_INET, SOCK_DGRAM, 0);
    if (relay < 0 || bind(relay, (struct sockaddr *)&address, sizeof address) != 0) fail("relay");
    listener = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;
    if (listener < 0) fail("socket");
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) fail("setsockopt");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 16) != 0) fail("listen");

    pthread_t thread;
    errno = pthread_create(&thread, NULL, serveClients, NULL);
    if (errno) fail("pthread_create");
    for (;;) answerSome();
}
