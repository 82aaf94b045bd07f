/* questions answered|unanswered COUNT: queries to a DNS server, sent as datagrams without waiting, by a program that
 * may have few descriptors. */
#include "probe.h"

#include <sys/resource.h>

enum { MOST_DESCRIPTORS = 256, OTHERS = 20 };

static size_t question(unsigned char *message, int number) {
    static const unsigned char header[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0},
                               name[] = {3, 'w', 'e', 'b', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};
    memcpy(message, header, sizeof header);
    message[0] = (unsigned char)(number >> 8);
    message[1] = (unsigned char)number;
    memcpy(message + sizeof header, name, sizeof name);
    return sizeof header + sizeof name;
}

static int open_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < MOST_DESCRIPTORS; fd++) count += syscall(SYS_fcntl, fd, F_GETFD) >= 0;
    return count;
}

int main(int count, char **arguments) {
    require(count == 3);
    int wanted = atoi(arguments[2]), answers = 0, sent = 0, is_answered[1000] = {0};
    unsigned char message[512];
    address server = numeric("192.0.2.53", "53");
    struct rlimit limit = {MOST_DESCRIPTORS, MOST_DESCRIPTORS};
    require(wanted <= 1000 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), before = open_descriptors();
    for (int number = 0; number < wanted; number++)
        sent += sendto(fd, message, question(message, number), 0, &server.any, server.length) > 0;
    say("sent: %d\n", sent);
    if (open_descriptors() - before > MOST_DESCRIPTORS / 8) say("descriptors: %d\n", open_descriptors() - before);
    for (int index = 0; index < OTHERS; index++) {
        int other = socket(AF_INET, SOCK_STREAM, 0);
        if (other < 0) say("socket: %s\n", outcome(other));
        if (other >= 0) close(other);
    }
    if (strcmp(arguments[1], "unanswered") == 0) return 0;
    while (answers < wanted) {
        struct pollfd descriptor = {fd, POLLIN, 0};
        require(poll(&descriptor, 1, -1) == 1);
        ssize_t length = recv(fd, message, sizeof message, 0);
        require(length > 12);
        int number = message[0] << 8 | message[1];
        require(number < wanted && !is_answered[number]);
        is_answered[number] = 1;
        answers++;
    }
    say("answers: %d\n", answers);
}
