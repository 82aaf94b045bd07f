/* datagram-server NAME HOST PORT CLIENT: a UDP server whose client, at the address CLIENT of this machine, runs
 * without the library. A direct datagram gets a direct answer. HOST and PORT are those of another server, which the
 * program itself asks. */
#include "datagram.h"

#include "raw.h"

static int server, client;
static address server_at, client_at;

static void bind_to(int fd, const char *host, address *at) {
    *at = numeric(host, "0");
    require(bind(fd, &at->any, at->length) == 0 && getsockname(fd, &at->any, &at->length) == 0);
}

static void set_up(char **arguments) {
    server = open_datagrams(AF_INET);
    client = open_datagrams(AF_INET);
    bind_to(server, "0.0.0.0", &server_at);
    bind_to(client, arguments[0], &client_at);
    server_at.v4.sin_addr = client_at.v4.sin_addr;
    require(raw(SYS_connect, client, (long)&server_at.any, server_at.length, 0, 0) == 0);
}

static void question(const char *text) {
    require(raw(SYS_write, client, (long)text, (long)strlen(text), 0, 0) == (long)strlen(text));
}

/* A connected socket receives datagrams only from the server's address. */
static void say_answer(void) {
    char bytes[64];
    long length = raw(SYS_read, client, (long)bytes, sizeof bytes, 0, 0);
    say("answer %.*s\n", length > 0 ? (int)length : 0, bytes);
}

/* Answers with each pair of calls. */
static void answer_each(void) {
    char bytes[64];
    address from = {.length = sizeof from.storage};
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {.msg_name = &from.any, .msg_namelen = from.length, .msg_iov = &part, .msg_iovlen = 1};

    question("recvfrom");
    part.iov_len = (size_t)recvfrom(server, bytes, sizeof bytes, 0, &from.any, &from.length);
    require(sendto(server, bytes, part.iov_len, 0, &from.any, from.length) == 8);
    say_answer();

    question("recvmsg");
    part.iov_len = sizeof bytes;
    part.iov_len = (size_t)recvmsg(server, &message, 0);
    require(sendmsg(server, &message, 0) == 7);
    say_answer();

    question("recvmmsg");
    part.iov_len = sizeof bytes;
    message.msg_namelen = sizeof from.storage;
    struct mmsghdr several = {.msg_hdr = message};
    require(recvmmsg(server, &several, 1, 0, NULL) == 1);
    part.iov_len = several.msg_len;
    require(sendmmsg(server, &several, 1, 0) == 1);
    say_answer();
}

static void answering(char **arguments) {
    set_up(arguments);
    answer_each();
}

/* It also asks another server itself. */
static void asking_too(char **arguments) {
    set_up(arguments);
    send_text(server, "first");
    receive("the other server", server, 64, 0);
    answer_each();
    send_text(server, "second");
    receive("the other server", server, 64, 0);
    answer_each();
}

/* A separate socket for the client, with the server's port. */
static void connecting(char **arguments) {
    char bytes[64];
    address from = {.length = sizeof from.storage}, at;
    int on = 1, own = open_datagrams(AF_INET);
    set_up(arguments);
    question("connect");
    require(recvfrom(server, bytes, sizeof bytes, 0, &from.any, &from.length) == 7);
    at = numeric("0.0.0.0", "0");
    at.v4.sin_port = server_at.v4.sin_port;
    require(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    require(setsockopt(own, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    require(bind(own, &at.any, at.length) == 0 && connect(own, &from.any, from.length) == 0);
    require(send(own, "by a socket of its own", 22, 0) == 22);
    say_answer();
}

SCENARIOS({"answering", answering}, {"asking-too", asking_too}, {"connecting", connecting})
