/* datagram-soak SOCKETS EACH HOST PORT: SOCKETS sockets with EACH questions and answers each, one at a time. */
#include "datagram.h"

#include <sys/epoll.h>
#include <sys/resource.h>

static uint32_t *sent;

static void question(int *sockets, uint32_t number) {
    uint32_t message[3] = {number, ++sent[number], number ^ sent[number]};
    require(sendto(sockets[number], message, sizeof message, 0, &far.any, far.length) == sizeof message);
}

int main(int count, char **arguments) {
    require(count == 5);
    uint32_t sockets_count = (uint32_t)atoi(arguments[1]), each = (uint32_t)atoi(arguments[2]);
    far = numeric(arguments[3], arguments[4]);
    struct rlimit limit;
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    require(limit.rlim_max >= 3 * sockets_count && setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int descriptors = descriptor_count(), epoll = epoll_create1(0);
    int *sockets = calloc(sockets_count, sizeof *sockets);
    sent = calloc(sockets_count, sizeof *sent);
    require(epoll >= 0 && sockets && sent);
    /* A limited number of sockets have a question in transit, so no buffer is full. */
    uint32_t next = 0, open = 0;
    uint64_t right = 0, wrong = 0;
    enum { WINDOW = 50 };
    while (next < sockets_count || open > 0) {
        for (; open < WINDOW && next < sockets_count; open++, next++) {
            sockets[next] = socket(far.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
            struct epoll_event event = {.events = EPOLLIN, .data.u32 = next};
            require(sockets[next] >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[next], &event) == 0);
            question(sockets, next);
        }
        struct epoll_event events[WINDOW];
        int ready = epoll_wait(epoll, events, WINDOW, -1);
        require(ready > 0);
        for (int index = 0; index < ready; index++) {
            uint32_t number = events[index].data.u32, message[4];
            ssize_t result = recv(sockets[number], message, sizeof message, 0);
            if (result < 0 && errno == EAGAIN) continue;
            int is_right = result == 12 && message[0] == number && message[1] == sent[number] &&
                           message[2] == (number ^ sent[number]);
            if (is_right) right++;
            else wrong++;
            if (sent[number] < each) question(sockets, number);
            else open--;
        }
    }
    say("%lu right, %lu wrong\n", right, wrong);
    for (uint32_t index = 0; index < sockets_count; index++) close(sockets[index]);
    close(epoll);
    say("descriptors +%d\n", descriptor_count() - descriptors);
}
