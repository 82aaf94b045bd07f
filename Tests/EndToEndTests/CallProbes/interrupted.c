/* interrupted MODE PROXY PORT: connect(2) while the proxy, which is the probe itself, delays its answer. The probe
 * listens at PROXY and PORT; the destination does not matter. */
#include "probe.h"

#include <sys/time.h>

static int listening;
static pthread_t connecting;
static volatile sig_atomic_t handled;
static address destination;

static void handle(int signal) {
    (void)signal;
    handled = handled + 1;
}

static void install(int flags) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = flags};
    require(sigaction(SIGUSR1, &action, NULL) == 0);
}

static const char *connect_again(int fd) {
    return outcome(connect(fd, &destination.any, destination.length));
}

static void serve(void) {
    int client = accept_client(listening);
    answer_greeting(client);
    answer_request(client, 0);
    require(write(client, "x", 1) == 1);
}

static void *serve_in_thread(void *nothing) {
    serve();
    return nothing;
}

static void in_thread(void *(*body)(void *)) {
    pthread_t thread;
    require(pthread_create(&thread, NULL, body, NULL) == 0);
    pthread_detach(thread);
}

static void say_connected(int fd) {
    char byte = 0;
    say("peer %s\n", peer_of(fd));
    say("byte %s\n", read(fd, &byte, 1) == 1 && byte == 'x' ? "received" : "lost");
}

/* SO_SNDTIMEO is over before the proxy answers; each further call waits as long, and continues the handshake. */
static void send_timeout(void) {
    struct timeval limit = {0, 50000};
    int fd = stream(&destination);
    require(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    say("unanswered: %s\n", connect_again(fd));
    say("unanswered: %s\n", connect_again(fd));
    say("peer %s\n", peer_of(fd));
    int client = accept_client(listening);
    answer_greeting(client);
    say("greeting answered: %s\n", connect_again(fd));
    answer_request(client, 0);
    require(write(client, "x", 1) == 1);
    say("request answered: %s\n", connect_again(fd));
    say_connected(fd);
    say("then: %s\n", connect_again(fd));
}

/* A second call has the full SO_SNDTIMEO again. */
static void send_timeout_anew(void) {
    struct timeval limit = {0, 20000}, longer = {600, 0};
    int fd = stream(&destination);
    require(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    say("unanswered: %s\n", connect_again(fd));
    require(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longer, sizeof longer) == 0);
    in_thread(serve_in_thread);
    say("answered: %s\n", connect_again(fd));
    say_connected(fd);
}

static void receive_timeout(void) {
    struct timeval limit = {0, 1000};
    int fd = stream(&destination);
    require(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    in_thread(serve_in_thread);
    say("answered: %s\n", connect_again(fd));
}

static volatile int returned;

/* Sends signals while the other thread is in connect(2). */
static void *interrupt(void *nothing) {
    while (!returned) {
        pthread_kill(connecting, SIGUSR1);
        doze(1000);
    }
    return nothing;
}

static void without_restart(void) {
    pthread_t thread;
    install(0);
    int fd = stream(&destination);
    connecting = pthread_self();
    require(pthread_create(&thread, NULL, interrupt, NULL) == 0);
    const char *result = connect_again(fd);
    returned = 1;
    pthread_join(thread, NULL);
    say("interrupted: %s\n", result);
    in_thread(serve_in_thread);
    say("second: %s\n", connect_again(fd));
    say_connected(fd);
}

/* The proxy's machine accepts no connection until the thread has handled enough signals. */
static void *make_room(void *filler) {
    for (int before = handled; handled < before + 20;) {
        pthread_kill(connecting, SIGUSR1);
        doze(1000);
    }
    close(accept_client(listening));
    close(*(int *)filler);
    serve();
    return NULL;
}

static void with_restart_before_proxy(void) {
    pthread_t thread;
    address at = {.length = sizeof at.storage};
    require(listen(listening, 0) == 0 && getsockname(listening, &at.any, &at.length) == 0);
    install(SA_RESTART);
    /* Without the library, which would use this proxy: one connection fills the queue. */
    int filler = stream(&at);
    require(connect(filler, &at.any, at.length) == 0);
    int fd = stream(&destination);
    connecting = pthread_self();
    require(pthread_create(&thread, NULL, make_room, &filler) == 0);
    say("restarted: %s\n", connect_again(fd));
    say("handled %s\n", handled >= 20 ? "all" : "some");
    say_connected(fd);
}

/* Answers only after the connecting thread has handled many signals in its call. */
static void *interrupt_then_serve(void *nothing) {
    int client = accept_client(listening);
    for (int step = 0; step < 2; step++) {
        for (int before = handled; handled < before + 20;) {
            pthread_kill(connecting, SIGUSR1);
            doze(1000);
        }
        if (step == 0) answer_greeting(client);
    }
    answer_request(client, 0);
    require(write(client, "x", 1) == 1);
    return nothing;
}

static void with_restart(void) {
    install(SA_RESTART);
    int fd = stream(&destination);
    connecting = pthread_self();
    in_thread(interrupt_then_serve);
    say("restarted: %s\n", connect_again(fd));
    say("handled %s\n", handled >= 40 ? "all" : "some");
    say_connected(fd);
}

static int cancelled_fd;

static void clean_up(void *nothing) {
    (void)nothing;
    say("cleaned up\n");
}

static void *connect_for_ever(void *nothing) {
    pthread_cleanup_push(clean_up, NULL);
    connect(cancelled_fd, &destination.any, destination.length);
    pthread_cleanup_pop(0);
    return nothing;
}

/* pthread_cancel(3) ends a thread in connect(2), and the process goes on. */
static void cancel(void) {
    pthread_t thread;
    void *result;
    cancelled_fd = stream(&destination);
    require(pthread_create(&thread, NULL, connect_for_ever, NULL) == 0);
    int client = accept_client(listening);
    unsigned char greeting[3];
    require(read_all(client, greeting, 3));
    pthread_cancel(thread);
    require(pthread_join(thread, &result) == 0);
    say("%s\n", result == PTHREAD_CANCELED ? "cancelled" : "returned");
    close(cancelled_fd);
    char byte;
    say("the proxy sees %s\n", read(client, &byte, 1) == 0 ? "the end" : "more");
    int fd = stream(&destination);
    in_thread(serve_in_thread);
    say("another: %s\n", connect_again(fd));
    say_connected(fd);
}

int main(int count, char **arguments) {
    require(count == 4);
    address at;
    destination = numeric("203.0.113.10", "80");
    listening = listener(arguments[2], arguments[3], &at);
    if (strcmp(arguments[1], "send-timeout") == 0) send_timeout();
    if (strcmp(arguments[1], "send-timeout-anew") == 0) send_timeout_anew();
    if (strcmp(arguments[1], "receive-timeout") == 0) receive_timeout();
    if (strcmp(arguments[1], "no-restart") == 0) without_restart();
    if (strcmp(arguments[1], "restart") == 0) with_restart();
    if (strcmp(arguments[1], "restart-before-proxy") == 0) with_restart_before_proxy();
    if (strcmp(arguments[1], "cancel") == 0) cancel();
}
