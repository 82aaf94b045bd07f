/* datagram-long first|connected HOST PORT MOST: the first datagram of a non-blocking socket, before the proxy has
 * named its relay. A datagram of more than MOST bytes does not fit; one of MOST bytes arrives. The proxy answers
 * when a second socket asks, too. */
#include "datagram.h"

static char sent[70000], received[70000];

static void send_first(int is_connected, size_t most) {
    int fd = socket(far.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int second = socket(far.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    require(fd >= 0 && second >= 0);
    if (is_connected) require(connect(fd, &far.any, far.length) == 0);
    const struct sockaddr *to = is_connected ? NULL : &far.any;
    socklen_t length = is_connected ? 0 : far.length;
    for (size_t index = 0; index < sizeof sent; index++) sent[index] = (char)('a' + index % 23);
    say("one byte more: %s\n", outcome(sendto(fd, sent, most + 1, 0, to, length)));
    say("the most: %s\n", outcome(sendto(fd, sent, most, 0, to, length)));
    send_text(second, "x");
    wait_readable(fd);
    ssize_t result = recv(fd, received, sizeof received, 0);
    say("received: %s\n", result == (ssize_t)most && memcmp(sent, received, most) == 0 ? "the same" : "another");
}

static void first(char **arguments) { send_first(0, (size_t)atol(arguments[0])); }
static void first_connected(char **arguments) { send_first(1, (size_t)atol(arguments[0])); }

SCENARIOS({"first", first}, {"connected", first_connected})
