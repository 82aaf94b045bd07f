/* datagram-ipv6 NAME HOST PORT: sockets for IPv6 alone (IPV6_V6ONLY). */
#include "datagram.h"

static int is_only, is_bound;

static int made(void) {
    /* An address of this machine. */
    address own = numeric(is_bound ? "fd99::2" : "::", "0");
    int fd = open_datagrams(AF_INET6);
    require(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_only, sizeof is_only) == 0);
    require(bind(fd, &own.any, own.length) == 0);
    return fd;
}

static void answer(int fd) {
    char bytes[16];
    require(recv(fd, bytes, sizeof bytes, 0) == 1);
}

static void try(void) {
    int fd = made();
    ssize_t result = sendto(fd, "x", 1, 0, &far.any, far.length);
    say("sendto %s\n", outcome(result));
    if (result > 0) answer(fd);
    result = sendto(fd, "x", 1, MSG_DONTWAIT, &far.any, far.length);
    say("MSG_DONTWAIT %s\n", outcome(result));
    if (result > 0) answer(fd);
    fd = made();
    result = connect(fd, &far.any, far.length);
    if (result == 0) result = send(fd, "x", 1, 0);
    say("connected %s\n", outcome(result));
    if (result > 0) answer(fd);
}

static void only(char **arguments unused) {
    is_only = 1;
    try();
}

static void bound(char **arguments unused) {
    is_bound = 1;
    try();
}

static void bound_only(char **arguments unused) {
    is_only = is_bound = 1;
    try();
}

SCENARIOS({"only", only}, {"bound", bound}, {"bound-only", bound_only})
