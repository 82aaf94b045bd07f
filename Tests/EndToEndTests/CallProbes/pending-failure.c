/* pending-failure KIND ADDRESS STAGE CALL WAY: a connection fails in this way when it has reached STAGE, while CALL
 * waits. The program reads the error by WAY, and connects the same socket again.
 *
 * KIND: a reply code; or gone, close, reset, garbage, silence, no-method. WAY: error, connect, read, write. */
#include "pending-waiting.h"

static const char *kind;

static void fail(connection *f) {
    if (strcmp(kind, "gone") == 0) {
        close_far_side();
    } else if (kind[0] >= '0' && kind[0] <= '9') {
        refuse(f, atoi(kind));
    } else if (strcmp(kind, "close") == 0) {
        require(shutdown(f->far, SHUT_WR) == 0);
    } else if (strcmp(kind, "reset") == 0) {
        require(setsockopt(f->far, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)) == 0);
        close(f->far);
    } else if (strcmp(kind, "garbage") == 0) {
        require(write(f->far, "HTTP/1.1 400 Bad Request\r\n\r\n", 28) == 28);
    } else if (strcmp(kind, "no-method") == 0) {
        require(write(f->far, "\5\377", 2) == 2);
    } else {
        require(strcmp(kind, "silence") == 0);
    }
}

static connection f;

static void *fail_when_asleep(void *nothing) {
    await_sleep(main_thread);
    drive = NULL;
    fail(&f);
    return nothing;
}

static const char *learn(int fd, const char *way) {
    char byte = 'x';
    if (strcmp(way, "connect") == 0) return connect_to_target(fd);
    if (strcmp(way, "read") == 0) return outcome(read(fd, &byte, 1));
    if (strcmp(way, "write") == 0) return outcome(write(fd, &byte, 1));
    return error_of(fd);
}

int main(int count, char **arguments) {
    require(count == 6);
    set_up(arguments);
    kind = arguments[1];
    enum stage stage = stage_named(arguments[3]);
    const waiter *by = waiter_named(arguments[4]);
    const char *way = arguments[5];
    int descriptors = descriptor_count();
    pthread_t thread;
    f = begin_pending(stage);
    reach(&f, stage);
    require(pthread_create(&thread, NULL, fail_when_asleep, NULL) == 0);
    long result = by->wait(f.fd, EPOLLIN | EPOLLOUT | EPOLLPRI, -1, NULL);
    pthread_join(thread, NULL);
    if (result < 0) say("wait %s\n", wait_text(result));
    /* select(2) can only report that reading and writing do not wait. */
    unsigned wanted = EPOLLIN | EPOLLOUT | (strstr(by->name, "select") ? 0 : EPOLLERR | EPOLLHUP);
    if ((unsigned)result == wanted) say("told\n");
    else say("told %s\n", wait_text(result));
    say("%s %s\n", way, learn(f.fd, way));
    say("error %s\n", error_of(f.fd));
    say("peer %s\n", peer_of(f.fd));
    if (!native && strcmp(kind, "reset") != 0 && strcmp(kind, "gone") != 0) close(f.far);
    drive = drive_by_poll;
    f = begin_again(f.fd, GREETED);
    establish(&f, "");
    result = by->wait(f.fd, EPOLLOUT, -1, NULL);
    say("again %s\n", wait_text(result));
    say_connected(&f, "");
    close(f.fd);
    close(f.far);
    say("descriptors %+d\n", descriptor_count() - descriptors);
}
