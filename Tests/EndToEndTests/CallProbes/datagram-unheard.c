/* datagram-unheard CASE ADDRESS: datagrams that are not for the program come to a socket while the program waits.
 * The proxy at port 1080 of ADDRESS and its relay are the probe itself. */
#include "unheard.h"

/* The number of descriptors that each call reports as ready. */
static void ask(const char *what) {
    struct pollfd entry = {fd, POLLIN, 0};
    int polled = poll(&entry, 1, 0);
    say("%s: poll %d %s, select %d\n", what, polled, event_names((unsigned)entry.revents), selected(fd));
}

static void look(void) {
    send_from(relay, -1, "garbage");
    ask("garbage");
    send_from(relay, -1, "garbage");
    say("garbage: select %d\n", selected(fd));
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

/* However many datagrams come that are not for the program, SO_RCVTIMEO counts for the whole call. */
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
    static const pending_case cases[] = {
        {"unconnected", unconnected_look}, {"connected", connected_look}, {"deadline", deadline}, {0},
    };
    require(count == 3);
    set_up(arguments);
    run_case(cases, arguments[1]);
}
