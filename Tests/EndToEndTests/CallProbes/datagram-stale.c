/* datagram-stale HOST PORT: a thread asks which socket a descriptor stands for, and is stopped. Meanwhile the socket is
 * closed, and another socket, which gets a relay, too, takes the descriptor. The thread's result must not affect the
 * new socket.
 */
#include "datagram.h"
#include "stopped.h"
#include "ticks.h"

static void receive_in_thread(void *fd) {
    char byte;
    say("thread: %s\n", outcome(recv(*(int *)fd, &byte, 1, MSG_DONTWAIT)));
}

static void say_answer(int fd, const char *text) {
    char bytes[100];
    require(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
    if (poll(&(struct pollfd){fd, POLLIN, 0}, 1, 10000) != 1) {
        say("no answer\n");
        return;
    }
    ssize_t length = recv(fd, bytes, sizeof bytes, 0);
    say("answer \"%.*s\"\n", (int)length, bytes);
}

int main(int count, char **arguments) {
    require(count == 3);
    start_tracer();
    alarm(40);
    far = numeric(arguments[1], arguments[2]);
    int former = connected();
    say_answer(former, "former");
    wait_for_ticks();
    stopped s;
    run_stopped(&s, receive_in_thread, &former, COOKIE_TOLD, 1);
    require(close(former) == 0);
    int fd = connected();
    require(fd == former);
    say_answer(fd, "one");
    let_go();
    join(&s);
    say_answer(fd, "two");
}
