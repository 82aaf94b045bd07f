/* stale-look CASE ADDRESS FOLDER: a thread asks which socket a descriptor stands for, and is stopped, while others
 * change exactly that. Its next steps must be right for the socket that is there then.
 *
 * The proxies are the probe itself: at FOLDER/1, ADDRESS port 1080, FOLDER/2, ADDRESS port 1081, in this order. At
 * each change from one to the next the library replaces the program's socket. */
#include "pending.h"
#include "stopped.h"

static const char *host, *folder;
static int proxies[4];

static int listen_at_path(const char *name) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/%s", folder, name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    require(fd >= 0 && bind(fd, (void *)&at, sizeof at) == 0 && listen(fd, 64) == 0);
    return fd;
}

static void listen_everywhere(void) {
    address ignored;
    proxies[0] = listen_at_path("1");
    proxies[1] = listener(host, "1080", &ignored);
    proxies[2] = listen_at_path("2");
    proxies[3] = listener(host, "1081", &ignored);
    target = numeric("203.0.113.10", "80");
}

/* Lets the program's socket reach a proxy. */
static int arrive(int fd, int number) {
    struct pollfd entries[2] = {{proxies[number], POLLIN, 0}, {fd, POLLOUT, 0}};
    for (;;) {
        require(poll(entries, 2, 10000) > 0);
        require(!entries[1].revents);
        if (entries[0].revents) return accept_client(proxies[number]);
    }
}

/* Connects a socket up to the second proxy, which has sent nothing. */
static connection begin_to_second(int fd) {
    require(strcmp(connect_to_target(fd), "EINPROGRESS") == 0);
    close(arrive(fd, 0));
    return (connection){fd, arrive(fd, 1), REACHED};
}

/* Moves the socket to the fourth proxy, which has answered the greeting. */
static void go_on_to_last(connection *f) {
    close(f->far);
    close(arrive(f->fd, 2));
    f->far = arrive(f->fd, 3);
    reach(f, GREETED);
}

static void finish(connection *f) {
    establish(f, "hello");
    say("poll %s\n", event_names(POLLOUT & (poll(&(struct pollfd){f->fd, POLLOUT, 0}, 1, 10000) == 1 ? -1 : 0)));
}

/* ----- A thread that reads ----- */

static void read_in_thread(void *fd) {
    char bytes[100];
    ssize_t length = recv(*(int *)fd, bytes, sizeof bytes, 0);
    if (length < 0) say("thread: %s\n", outcome(-1));
    else say("thread: \"%.*s\"\n", (int)length, bytes);
}

/* The program does not receive the proxy's answer as data, although the record of the socket is gone. */
static void reading(void) {
    int fd = nonblocking();
    connection f = begin_to_second(fd);
    stopped s;
    run_stopped(&s, read_in_thread, &fd, COOKIE_TOLD, 1);
    go_on_to_last(&f);
    let_go();
    join(&s);
    finish(&f);
    say_connected(&f, "hello");
}

/* A waiting call continues the handshake of the socket that is there now. */
static void waiting(void) {
    int fd = nonblocking();
    connection f = begin_to_second(fd);
    require(fcntl(fd, F_SETFL, 0) == 0);
    stopped s;
    run_stopped(&s, read_in_thread, &fd, COOKIE_TOLD, 2);
    go_on_to_last(&f);
    establish(&f, "hello");
    let_go();
    join(&s);
    say_connected(&f, "");
}

static void say_peer_in_thread(void *fd) {
    const char *peer = peer_of(*(int *)fd);
    say("thread: %s\n", strcmp(peer, text_of(&target.any)) == 0 ? "as connected to" : peer);
}

/* getpeername(2) returns the peer of the connected socket, never the proxy. */
static void asking_for_the_peer(void) {
    int fd = nonblocking();
    connection f = begin_to_second(fd);
    stopped s;
    run_stopped(&s, say_peer_in_thread, &fd, COOKIE_TOLD, 1);
    go_on_to_last(&f);
    finish(&f);
    let_go();
    join(&s);
    say_connected(&f, "hello");
}

/* ----- A thread that asks for an option ----- */

static const char *domain_of(int fd) {
    int domain = -1;
    require(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){sizeof domain}) == 0);
    return domain == AF_INET ? "AF_INET" : "another";
}

static void poll_in_thread(void *fd) {
    require(poll(&(struct pollfd){*(int *)fd, POLLOUT, 0}, 1, 20000) == 1);
}

/* Just before a Unix-domain socket replaces the program's, another thread finds no replacement there. */
static void asking_for_an_option(void) {
    int fd = nonblocking();
    connection f = begin_to_second(fd);
    close(f.far);
    stopped s;
    run_stopped(&s, poll_in_thread, &fd, REPLACING, 1);
    say("domain %s\n", domain_of(fd));
    let_go();
    f.far = accept_client(proxies[2]);
    say("domain %s\n", domain_of(fd));
    f.stage = REACHED;
    establish(&f, "hello");
    join(&s);
    say_connected(&f, "hello");
}

/* ----- Descriptors that are reused ----- */

/* Closes without the library, as closedir(3), fclose(3) and others do. */
static void close_unseen(int fd) {
    FILE *file = fdopen(fd, "r+");
    require(file && fclose(file) == 0);
}

/* The record of a socket whose close the library missed is removed at its time limit. By then its descriptor belongs
 * to another socket, which is pending itself and must not be affected. Both have a time limit of a millisecond. */
static void ending_of_a_former_socket(void) {
    listening = proxies[1];
    far_address = numeric(host, "1080");
    fill_queue();
    int fd = nonblocking();
    require(strcmp(connect_to_target(fd), "EINPROGRESS") == 0);
    close_unseen(fd);
    int other = nonblocking();
    require(other == fd && strcmp(connect_to_target(other), "EINPROGRESS") == 0);
    say("poll %d\n", poll(&(struct pollfd){other, POLLOUT, 0}, 1, 10000));
    say("error %s\n", error_of(other));
}

int main(int count, char **arguments) {
    static const pending_case cases[] = {
        {"reading", reading},
        {"waiting", waiting},
        {"peer", asking_for_the_peer},
        {"option", asking_for_an_option},
        {"former", ending_of_a_former_socket},
        {NULL, NULL},
    };
    require(count == 4);
    start_tracer();
    alarm(30);
    signal(SIGPIPE, SIG_IGN);
    drive = drive_by_poll;
    host = arguments[2];
    folder = arguments[3];
    listen_everywhere();
    run_case(cases, arguments[1]);
}
