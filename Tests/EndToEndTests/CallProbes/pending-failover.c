/* pending-failover FIRST ADDRESS SECOND CALL TIMEOUTS: a connection whose first proxy, at port 1080 of ADDRESS, fails
 * as FIRST names, so it continues with the second, at port 1081, which does as SECOND names. The program must not see
 * the first attempt. CALL waits: connect; edge (an epoll with a registration from before); both (the same, with two
 * descriptors); twice (poll with the socket twice); or another. TIMEOUTS of the program: own, none.
 *
 * FIRST and SECOND: gone, late (gone during the connection attempt), far (at an address without a route), close,
 * reset, garbage, no-method, good. Natively there is no first proxy, and the second is good or gone. */
#include "pending-epoll.h"
#include "pending-waiting.h"

static int second = -1;
static char **argument;
static connection f;

/* Treats a connection to a proxy as the word names. Returns the connection if the proxy serves it. */
static int behave(int proxy, const char *how) {
    unsigned char greeting[3];
    if (strcmp(how, "gone") == 0 || strcmp(how, "late") == 0 || strcmp(how, "far") == 0) return -1;
    int client = accept_client(proxy);
    if (strcmp(how, "good") == 0) {
        answer_greeting(client);
        answer_request(client, 0);
        return client;
    }
    require(read_all(client, greeting, 3));
    if (strcmp(how, "garbage") == 0) {
        require(write(client, "HTTP/1.1 400 Bad Request\r\n\r\n", 28) == 28);
    } else if (strcmp(how, "no-method") == 0) {
        require(write(client, "\5\377", 2) == 2);
    } else {
        if (strcmp(how, "reset") == 0)
            require(setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)) == 0);
        else require(strcmp(how, "close") == 0);
        close(client);
    }
    return -1;
}

static void *serve(void *nothing) {
    await_sleep(main_thread);
    if (native) {
        if (strcmp(argument[3], "good") == 0) establish(&f, "");
        else close_far_side();
        return nothing;
    }
    if (strcmp(argument[1], "late") == 0) close_far_side();
    behave(listening, argument[1]);
    f.far = behave(second, argument[3]);
    return nothing;
}

static void say_told(int fd, int ep, const char *call) {
    if (strcmp(call, "edge") == 0) {
        say("told %s\n", waiting(ep, -1));
        say("then %s\n", waiting(ep, 0));
    } else if (strcmp(call, "both") == 0) {
        const char *text;
        /* The events may come in one call or in two. */
        do text = waiting(ep, -1);
        while (!strchr(text, ','));
        say("told %s\n", text);
    } else if (strcmp(call, "twice") == 0) {
        struct pollfd entries[2] = {{fd, POLLIN | POLLOUT, 0}, {fd, POLLOUT, 0}};
        int count = poll(entries, 2, -1);
        say("told %d: %s, %s\n", count, event_names((unsigned short)entries[0].revents),
            event_names((unsigned short)entries[1].revents));
    } else {
        say("told %s\n", event_names((unsigned)waiter_named(call)->wait(fd, EPOLLIN | EPOLLOUT, -1, NULL)));
    }
}

static void say_timeouts(int fd) {
    int user = -1;
    struct timeval sending;
    require(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user, &(socklen_t){sizeof user}) == 0);
    require(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &sending, &(socklen_t){sizeof sending}) == 0);
    say("timeouts %d, %ld.%06ld\n", user, sending.tv_sec, sending.tv_usec);
}

int main(int count, char **arguments) {
    require(count == 6);
    argument = arguments;
    set_up(arguments);
    const char *call = arguments[4];
    int blocks = strcmp(call, "connect") == 0;
    if (!native) {
        address at;
        second = listener(arguments[2], "1081", &at);
        if (strcmp(arguments[3], "gone") == 0) close(second);
        if (strcmp(arguments[1], "gone") == 0) close_far_side();
    }
    int fd = socket(target.any.sa_family, SOCK_STREAM | (blocks ? 0 : SOCK_NONBLOCK), 0), ep = -1;
    if (strcmp(arguments[5], "own") == 0) {
        require(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){90000}, sizeof(int)) == 0);
        require(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){100, 0}, sizeof(struct timeval)) == 0);
    }
    if (strcmp(call, "edge") == 0 || strcmp(call, "both") == 0) {
        ep = new_epoll();
        add(ep, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | (strcmp(call, "edge") == 0 ? EPOLLET : 0), "F");
        require(strcmp(waiting(ep, 0), "F: OUT|HUP") == 0);
        if (strcmp(call, "both") == 0) add(ep, dup(fd), EPOLLIN | EPOLLOUT | EPOLLRDHUP, "G");
    }
    pthread_t thread;
    if (native || strcmp(arguments[1], "late") == 0) fill_queue();
    f = (connection){fd, -1, UNREACHED};
    if (blocks) require(pthread_create(&thread, NULL, serve, NULL) == 0);
    say("connect %s\n", connect_to_target(fd));
    if (!blocks) {
        require(pthread_create(&thread, NULL, serve, NULL) == 0);
        say_told(fd, ep, call);
    }
    require(pthread_join(thread, NULL) == 0);
    say_timeouts(fd);
    say("error %s\n", error_of(fd));
    if (f.far >= 0) {
        say_connected(&f, "");
    } else {
        say("error %s\n", error_of(fd));
        say("peer %s\n", peer_of(fd));
    }
    say_timeouts(fd);
}
