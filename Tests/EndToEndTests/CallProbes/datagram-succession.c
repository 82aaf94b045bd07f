/* datagram-succession CASE ADDRESS: associations of one socket, one after the other. The proxy at port 1080 of
 * ADDRESS and its relays are the probe itself, so it decides which datagrams are in transit when one association
 * follows the other. */
#include "pending.h"

static struct {
    int fd;
    address at;
} relays[2];
/* The address of the program's socket, as the relays see it. */
static address client;
static connection f;

static void open_relays(void) {
    for (int index = 0; index < 2; index++) {
        relays[index].fd = socket(AF_INET, SOCK_DGRAM, 0);
        address *at = &relays[index].at;
        *at = numeric("127.0.0.1", "0");
        require(relays[index].fd >= 0 && bind(relays[index].fd, &at->any, at->length) == 0);
        require(getsockname(relays[index].fd, &at->any, &at->length) == 0);
    }
}

static const char *sent(const char *text) {
    return outcome(sendto(f.fd, text, strlen(text), MSG_DONTWAIT, &target.any, target.length));
}

/* The program waits meanwhile; no datagram is for it. */
static void drive_by_looking(connection *f) {
    if (poll(&(struct pollfd){f->fd, POLLIN, 0}, 1, 0) != 0) say_early("a datagram\n");
}

/* Makes the proxy give the socket this relay. */
static void associate(int relay) {
    unsigned char request[10], reply[10] = {5, 0, 0, 1};
    f.stage = UNREACHED;
    reach(&f, GREETED);
    await(&f, 10);
    require(read_all(f.far, request, 10) && memcmp(request, "\5\3\0\1", 4) == 0);
    memcpy(reply + 4, &relays[relay].at.v4.sin_addr, 4);
    memcpy(reply + 8, &relays[relay].at.v4.sin_port, 2);
    require(write(f.far, reply, 10) == 10);
}

enum { HEADER = 10 };
static const char header[HEADER] = {0, 0, 0, 1, (char)203, 0, 113, 10, 0, 80};

/* Waits until a datagram comes to the relay. */
static void hear(int relay) {
    char bytes[100];
    while (poll(&(struct pollfd){relays[relay].fd, POLLIN, 0}, 1, 1) == 0) drive(&f);
    client.length = sizeof client.storage;
    ssize_t length = recvfrom(relays[relay].fd, bytes, sizeof bytes, 0, &client.any, &client.length);
    require(length > HEADER && memcmp(bytes, header, HEADER) == 0);
    say("relay %d: %.*s\n", relay + 1, (int)length - HEADER, bytes + HEADER);
}

static void answer(int relay, const char *text) {
    char bytes[100];
    memcpy(bytes, header, HEADER);
    strcpy(bytes + HEADER, text);
    require(sendto(relays[relay].fd, bytes, HEADER + strlen(text), 0, &client.any, client.length) > HEADER);
}

static void await_arrival(void) {
    for (int there = 0; there == 0;) require(ioctl(f.fd, FIONREAD, &there) == 0);
}

static void receive(int flags) {
    char bytes[100];
    address from = {.length = sizeof from.storage};
    ssize_t length = recvfrom(f.fd, bytes, sizeof bytes, flags, &from.any, &from.length);
    if (length < 0) {
        say("received %s\n", outcome(length));
        return;
    }
    int is_target = from.length == target.length && memcmp(&from.v4, &target.v4, target.length) == 0;
    say("received %zd bytes from %s", length, is_target ? "the target" : "another");
    say(is_target ? ": %.*s\n" : "\n", (int)length, bytes);
}

static void open_first(void) {
    say("send %s\n", sent("one"));
    associate(0);
    hear(0);
}

static void disconnect(void) {
    require(connect(f.fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)) == 0);
}

/* The server has ended the first association: the datagrams that its relay has sent still arrive. */
static void ended(void) {
    open_first();
    close(f.far);
    while (poll(&(struct pollfd){listening, POLLIN, 0}, 1, 1) == 0) require(strcmp(sent("two"), "0") == 0);
    associate(1);
    hear(1);
    answer(0, "late");
    receive(0);
    answer(1, "answer");
    receive(0);
}

/* The program has disconnected the socket: it receives neither the datagrams that came before, nor later ones. */
static void forgotten(void) {
    open_first();
    answer(0, "early");
    await_arrival();
    disconnect();
    receive(MSG_DONTWAIT);
    say("send %s\n", sent("two"));
    associate(1);
    hear(1);
    answer(0, "late");
    answer(1, "answer");
    receive(0);
}

/* The same with a relay that all associations share. */
static void common(void) {
    open_first();
    disconnect();
    say("send %s\n", sent("two"));
    associate(0);
    hear(0);
    answer(0, "answer");
    receive(0);
}

/* There is no proxy at first: the program gets one error, and then there is a proxy. */
static void failed(void) {
    close_far_side();
    const char *result;
    /* The first datagram may be accepted before the library knows that. */
    do result = sent("one");
    while (strcmp(result, "0") == 0);
    say("send %s\n", result);
    listen_at_far_side();
    say("send %s\n", sent("two"));
    associate(0);
    hear(0);
    answer(0, "answer");
    receive(0);
}

/* Datagrams wait for the association while the program disconnects the socket. */
static void queued(void) {
    require(connect(f.fd, &target.any, target.length) == 0);
    say("send %s\n", outcome(send(f.fd, "one", 3, MSG_DONTWAIT)));
    disconnect();
    say("send %s\n", sent("two"));
    associate(0);
    hear(0);
    hear(0);
    answer(0, "answer");
    receive(0);
}

/* They wait while the program connects the socket to a direct destination: another socket sends them, and receives
 * nothing. */
static void redirected(void) {
    char bytes[8];
    address here = numeric("127.0.0.1", "0");
    int near = socket(AF_INET, SOCK_DGRAM, 0);
    require(near >= 0 && bind(near, &here.any, here.length) == 0);
    require(getsockname(near, &here.any, &here.length) == 0);
    require(connect(f.fd, &target.any, target.length) == 0);
    say("send %s\n", outcome(send(f.fd, "one", 3, MSG_DONTWAIT)));
    require(connect(f.fd, &here.any, here.length) == 0);
    say("send %s\n", outcome(send(f.fd, "near", 4, MSG_DONTWAIT)));
    require(recv(near, bytes, sizeof bytes, 0) == 4);
    associate(0);
    hear(0);
    answer(0, "answer");
    say("received %s\n", outcome(recv(f.fd, bytes, sizeof bytes, MSG_DONTWAIT)));
    /* The socket now behaves as any other. */
    require(connect(f.fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)) == 0);
    say("send %s\n", sent("two"));
    associate(1);
    hear(1);
    answer(1, "answer");
    receive(0);
}

/* A blocking send waits only for a while; its datagram is kept. */
static void patient(void) {
    say("send %s\n", outcome(sendto(f.fd, "one", 3, 0, &target.any, target.length)));
    say("send %s\n", outcome(sendto(f.fd, "two", 3, 0, &target.any, target.length)));
    associate(0);
    hear(0);
    hear(0);
    answer(0, "answer");
    receive(0);
}

int main(int count, char **arguments) {
    static const pending_case cases[] = {
        {"ended", ended}, {"forgotten", forgotten}, {"common", common}, {"failed", failed},
        {"queued", queued}, {"redirected", redirected}, {"patient", patient}, {0},
    };
    require(count == 3);
    set_up(arguments);
    drive = drive_by_looking;
    open_relays();
    f = (connection){socket(AF_INET, SOCK_DGRAM, 0), -1, UNREACHED};
    /* This keeps the socket's port. */
    address any = numeric("0.0.0.0", "0");
    require(f.fd >= 0 && bind(f.fd, &any.any, any.length) == 0);
    run_case(cases, arguments[1]);
}
