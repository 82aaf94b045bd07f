/* pending-misfit CASE ADDRESS: connect(2) on a pending socket with addresses that are too short or of another
 * family. */
#include "pending.h"

static void again(int fd, const char *what, const void *given, socklen_t length) {
    say("%s: %s\n", what, outcome(connect(fd, given, length)));
}

static void say_all(connection *f) {
    address other = numeric("2001:db8::10", "80");
    struct sockaddr_un path = {AF_UNIX, "/none"};
    for (socklen_t length = 0; length < 16; length += length < 2 ? 1 : 13) {
        char text[20];
        snprintf(text, sizeof text, "%d bytes", (int)length);
        again(f->fd, text, &target, length);
    }
    char larger[200] = {0};
    memcpy(larger, &target, sizeof target.v4);
    again(f->fd, "too many bytes", larger, sizeof larger);
    again(f->fd, "another family", &other, other.length);
    again(f->fd, "a path", &path, sizeof path);
    again(f->fd, "nothing", NULL, 16);
}

static void pending(enum stage stage) {
    connection f = begin_pending(stage);
    reach(&f, stage);
    if (!native && stage > UNREACHED) drive(&f);
    say_all(&f);
    establish(&f, "");
    struct pollfd entry = {f.fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say_connected(&f, "");
}

static void unreached(void) { pending(UNREACHED); }
static void reached(void) { pending(REACHED); }
static void half(void) { pending(HALF); }

static const pending_case cases[] = {{"unreached", unreached}, {"reached", reached}, {"half", half}, {0}};

int main(int count, char **arguments) {
    require(count == 3);
    set_up(arguments);
    run_case(cases, arguments[1]);
}
