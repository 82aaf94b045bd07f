// datagrams connected|unconnected|send|receive|window|send-batch|receive-batch|window-batch COUNT
//     ADDRESS PORT [PROXY-ADDRESS PROXY-PORT]
//
// Exchanges datagrams of 512 bytes with `relay`, which does what the first byte of each says. With a proxy named it
// speaks SOCKS5 itself, and the header before each datagram is a part of its own in the message: what remains to a
// library that adds nothing of its own. Without, it is any program that uses a blocking socket.
//
//   connected    one at a time there and back, by send and recv
//   unconnected  the same, by sendto and recvfrom
//   send         bursts that go there; between them the last is answered
//   receive      bursts that come back; they have arrived when the first is received
//   window       there and back, 32 on their way at any time
//
// With "-batch" they go by sendmmsg and recvmmsg, 32 at once.
//
// Prints nanoseconds for each datagram, or each time there and back: the median and the 99th percentile of wall time,
// over bursts where there are any, and the mean of CPU time. Pauses are not counted, nor what comes first, in which a
// library sets itself up.

#define _GNU_SOURCE
#include "bench.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <unistd.h>

enum { payloadLength = 512, headerLength = 10, batch = 32 };
// So many fit into a socket's buffer of the usual size.
enum { burst = 3 * batch };

typedef unsigned char payload[payloadLength];

// What `relay` is to do: send one back, send many back, nothing.
static payload toEcho = "e", toBurst = "b", toDrop = "d";

static int fd;
static bool handCoded, connected = true;
static struct sockaddr_in target, peer; // the peer is the relay when hand-coded
static unsigned char header[headerLength];

// ----- One at a time ------------------------------------------------------------------------------------------------

static void sendOne(payload bytes) {
    ssize_t sent;
    if (handCoded) {
        struct iovec parts[] = {{header, headerLength}, {bytes, payloadLength}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        if (!connected) message.msg_name = &peer, message.msg_namelen = sizeof peer;
        sent = sendmsg(fd, &message, 0) - headerLength;
    } else if (connected) {
        sent = send(fd, bytes, payloadLength, 0);
    } else {
        sent = sendto(fd, bytes, payloadLength, 0, (struct sockaddr *)&peer, sizeof peer);
    }
    if (sent != payloadLength) fail("sending");
}

static void check(bool holds, const char *what) {
    errno = EPROTO;
    if (!holds) fail(what);
}

static void checkSource(const struct sockaddr_in *source) {
    check(source->sin_addr.s_addr == peer.sin_addr.s_addr && source->sin_port == peer.sin_port, "source");
}

static void receiveOne(void) {
    payload bytes;
    struct sockaddr_in source;
    ssize_t received;
    if (handCoded) {
        unsigned char head[headerLength];
        struct iovec parts[] = {{head, headerLength}, {bytes, payloadLength}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        if (!connected) message.msg_name = &source, message.msg_namelen = sizeof source;
        received = recvmsg(fd, &message, 0) - headerLength;
        if (received >= 0) check(memcmp(head, header, headerLength) == 0, "header");
    } else if (connected) {
        received = recv(fd, bytes, payloadLength, 0);
    } else {
        socklen_t length = sizeof source;
        received = recvfrom(fd, bytes, payloadLength, 0, (struct sockaddr *)&source, &length);
    }
    if (received < 0) fail("receiving");
    check(received == payloadLength && bytes[0] == 'e', "what was received");
    if (!connected) checkSource(&source);
}

// ----- In batches, on a connected socket ----------------------------------------------------------------------------

static void sendSeveral(payload bytes, payload last, int count) {
    struct mmsghdr messages[batch];
    struct iovec parts[batch][2];
    for (int i = 0; i < count; i++) {
        parts[i][0] = (struct iovec){header, headerLength};
        parts[i][1] = (struct iovec){i + 1 < count ? bytes : last, payloadLength};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = parts[i] + !handCoded, .msg_iovlen = 1 + handCoded};
    }
    if (sendmmsg(fd, messages, (unsigned)count, 0) != count) fail("sendmmsg");
}

/// Receives up to `count`, and says how many.
static int receiveSeveral(int count) {
    static payload bytes[batch];
    unsigned char heads[batch][headerLength];
    struct mmsghdr messages[batch];
    struct iovec parts[batch][2];
    for (int i = 0; i < count; i++) {
        parts[i][0] = (struct iovec){heads[i], headerLength};
        parts[i][1] = (struct iovec){bytes[i], payloadLength};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = parts[i] + !handCoded, .msg_iovlen = 1 + handCoded};
    }
    int received = recvmmsg(fd, messages, (unsigned)count, MSG_WAITFORONE, NULL);
    if (received <= 0) fail("recvmmsg");
    for (int i = 0; i < received; i++) {
        if (handCoded) check(memcmp(heads[i], header, headerLength) == 0, "header");
        unsigned length = messages[i].msg_len - (handCoded ? headerLength : 0);
        check(length == payloadLength && bytes[i][0] == 'e', "what was received");
    }
    return received;
}

// ----- What is measured ---------------------------------------------------------------------------------------------

static int64_t began, begunCPU, takenCPU;

static int64_t nanosecondsOfCPU(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void start(void) {
    begunCPU = nanosecondsOfCPU();
    began = nanoseconds();
}

/// Returns the nanoseconds of wall time since the start.
static double stop(void) {
    int64_t taken = nanoseconds() - began;
    takenCPU += nanosecondsOfCPU() - begunCPU;
    return (double)taken;
}

/// Each takes samples of `samplesCount`, in nanoseconds for one datagram.
static void thereAndBack(double *samples, int count) {
    int64_t cpu = nanosecondsOfCPU();
    for (int i = 0; i < count; i++) {
        int64_t before = nanoseconds();
        sendOne(toEcho);
        receiveOne();
        samples[i] = (double)(nanoseconds() - before);
    }
    takenCPU = nanosecondsOfCPU() - cpu;
}

static void sendBursts(double *samples, int count) {
    for (int i = 0; i < count; i++) {
        start();
        for (int j = 1; j < burst; j++) sendOne(toDrop);
        sendOne(toEcho);
        samples[i] = stop() / burst;
        receiveOne();
    }
}

static void sendBurstsInBatches(double *samples, int count) {
    for (int i = 0; i < count; i++) {
        start();
        for (int left = burst; left > 0; left -= batch) sendSeveral(toDrop, left > batch ? toDrop : toEcho, batch);
        samples[i] = stop() / burst;
        receiveOne();
    }
}

/// Has a burst sent here, and leaves it time to arrive. What is late is waited for when it is received.
static void provoke(void) {
    const struct timespec pause = {.tv_nsec = 1000000};
    toBurst[1] = burst;
    sendOne(toBurst);
    nanosleep(&pause, NULL);
}

static void receiveBursts(double *samples, int count) {
    for (int i = 0; i < count; i++) {
        provoke();
        start();
        for (int j = 0; j < burst; j++) receiveOne();
        samples[i] = stop() / burst;
    }
}

static void receiveBurstsInBatches(double *samples, int count) {
    for (int i = 0; i < count; i++) {
        provoke();
        start();
        for (int left = burst; left > 0;) left -= receiveSeveral(left < batch ? left : batch);
        samples[i] = stop() / burst;
    }
}

static void keepWindow(double *samples, int count) {
    for (int i = 0; i < batch; i++) sendOne(toEcho);
    for (int i = 0; i < count; i++) {
        start();
        for (int j = 0; j < burst; j++) {
            receiveOne();
            sendOne(toEcho);
        }
        samples[i] = stop() / burst;
    }
    for (int i = 0; i < batch; i++) receiveOne();
}

static void keepWindowInBatches(double *samples, int count) {
    sendSeveral(toEcho, toEcho, batch);
    for (int i = 0; i < count; i++) {
        start();
        for (int left = burst; left > 0;) {
            int received = receiveSeveral(left < batch ? left : batch);
            sendSeveral(toEcho, toEcho, received);
            left -= received;
        }
        samples[i] = stop() / burst;
    }
    for (int left = batch; left > 0;) left -= receiveSeveral(left);
}

static const struct mode {
    const char *name;
    void (*measure)(double *samples, int count);
    int datagrams; // in each sample
} modes[] = {
    {"connected", thereAndBack, 1},
    {"unconnected", thereAndBack, 1},
    {"send", sendBursts, burst},
    {"receive", receiveBursts, burst},
    {"window", keepWindow, burst},
    {"send-batch", sendBurstsInBatches, burst},
    {"receive-batch", receiveBurstsInBatches, burst},
    {"window-batch", keepWindowInBatches, burst},
};

// ----- The association ----------------------------------------------------------------------------------------------

static void receiveExactly(int control, unsigned char *bytes, size_t count) {
    ssize_t received = recv(control, bytes, count, MSG_WAITALL);
    if (received >= 0) errno = ECONNRESET;
    if (received != (ssize_t)count) fail("the proxy's answer");
}

/// Has the proxy make the association, which ends with the process, and returns the relay's address.
static struct sockaddr_in associate(const struct sockaddr_in *proxy) {
    unsigned char reply[10];
    int control = socket(AF_INET, SOCK_STREAM, 0);
    if (control < 0 || connect(control, (const struct sockaddr *)proxy, sizeof *proxy) != 0) fail("the proxy");
    // VER, NMETHODS, METHODS: no authentication.
    if (send(control, "\x05\x01\x00", 3, 0) != 3) fail("send");
    receiveExactly(control, reply, 2);
    check(memcmp(reply, "\x05\x00", 2) == 0, "method selection");
    // VER, CMD (UDP ASSOCIATE), RSV, ATYP, DST.ADDR, DST.PORT: whatever port the datagrams will come from.
    if (send(control, "\x05\x03\x00\x01\0\0\0\0\0\0", 10, 0) != 10) fail("send");
    receiveExactly(control, reply, sizeof reply);
    check(memcmp(reply, "\x05\x00\x00\x01", 4) == 0, "reply");
    struct sockaddr_in relay = {.sin_family = AF_INET};
    memcpy(&relay.sin_addr, reply + 4, 4);
    memcpy(&relay.sin_port, reply + 8, 2);
    return relay;
}

int main(int argc, char **argv) {
    const struct mode *mode = NULL;
    for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++)
        if (strcmp(argv[1], modes[i].name) == 0) mode = &modes[i];
    if (!mode || (argc != 5 && argc != 7))
        return fprintf(stderr, "usage: datagrams MODE COUNT ADDRESS PORT [PROXY-ADDRESS PROXY-PORT]\n"), 2;
    int count = (positive(argv[2]) + mode->datagrams - 1) / mode->datagrams;
    connected = strcmp(mode->name, "unconnected") != 0;
    target = peer = endpoint(argv[3], argv[4]);
    handCoded = argc == 7;
    if (handCoded) {
        struct sockaddr_in proxy = endpoint(argv[5], argv[6]);
        peer = associate(&proxy);
        // RSV, FRAG, ATYP, DST.ADDR, DST.PORT.
        header[3] = 1;
        memcpy(header + 4, &target.sin_addr, 4);
        memcpy(header + 8, &target.sin_port, 2);
    }

    // A datagram that is lost ends the program, instead of keeping it.
    const struct timeval patience = {.tv_sec = 2};
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) fail("socket");
    if (connected && connect(fd, (struct sockaddr *)&peer, sizeof peer) != 0) fail("connect");

    double *samples = allocate((size_t)count, sizeof *samples);
    sendOne(toEcho);
    receiveOne();
    mode->measure(samples, count);
    double middle = median(samples, (size_t)count); // which sorts them
    printf("%.1f %.1f %.1f\n", middle, samples[(int64_t)count * 99 / 100],
           (double)takenCPU / ((double)count * mode->datagrams));
}
