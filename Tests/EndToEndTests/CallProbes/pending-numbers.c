/* pending-numbers CASE ADDRESS STAGE: calls on a pending descriptor that do not close the socket, or only seem to:
 * the handshake continues as if the program had made no call. And more epolls watch it than the library records. */
#include "filter.h"
#include "pending-epoll.h"
#include "raw.h"

static enum stage at;
static int ep;

enum { SETS = 20 };

static void say_pending(int fd) {
    struct pollfd entry = {fd, POLLIN | POLLOUT, 0};
    say("pending: poll %d, peer %s\n", poll(&entry, 1, 0), peer_of(fd));
}

static void establish_and_say(connection *f) {
    establish(f, "");
    struct pollfd entry = {f->fd, POLLOUT, 0};
    say("poll %d\n", poll(&entry, 1, -1));
    say_connected(f, "");
}

static connection run_so_far(void) {
    connection f = begin_pending(at);
    reach(&f, at);
    return f;
}

/* ----- Calls that leave the descriptor unchanged ----- */

static void closed_on_exec(void) {
    connection f = run_so_far();
    say("close_range %s\n", outcome(close_range((unsigned)f.fd, (unsigned)f.fd, CLOSE_RANGE_CLOEXEC)));
    say("flags %d\n", fcntl(f.fd, F_GETFD));
    say_pending(f.fd);
    establish_and_say(&f);
}

static void onto_itself(void) {
    connection f = run_so_far();
    say("dup2 %s\n", dup2(f.fd, f.fd) == f.fd ? "0" : outcome(-1));
    say("dup3 %s\n", outcome(dup3(f.fd, f.fd, 0)));
    say_pending(f.fd);
    establish_and_say(&f);
}

static void from_nothing(void) {
    connection f = run_so_far();
    say("dup2 %s\n", outcome(dup2(9999, f.fd)));
    say("dup3 %s\n", outcome(dup3(9999, f.fd, O_CLOEXEC)));
    say_pending(f.fd);
    establish_and_say(&f);
}

static void by_wrong_flags(void) {
    connection f = run_so_far();
    say("dup3 %s\n", outcome(dup3(ep, f.fd, 77)));
    say("close_range %s\n", outcome(close_range((unsigned)f.fd, (unsigned)f.fd - 1, 0)));
    say_pending(f.fd);
    establish_and_say(&f);
}

/* A child of vfork has its parent's memory, but descriptors of its own. */
static void in_vfork_child(void) {
    connection f = run_so_far();
    volatile int fd = f.fd;
    pid_t child = vfork();
    if (child == 0) {
        close(fd);
        _exit(0);
    }
    require(child > 0 && waitpid(child, NULL, 0) == child);
    say_pending(f.fd);
    establish_and_say(&f);
}

/* In the child the descriptor may refer to something else, which does not affect the parent's. */
static void another_in_vfork_child(void) {
    connection f = run_so_far();
    volatile int fd = f.fd;
    pid_t child = vfork();
    if (child == 0) {
        char byte;
        long nothing = raw(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR, 0, 0);
        raw(SYS_dup3, nothing, fd, 0, 0, 0);
        _exit(read(fd, &byte, 1) == 0 ? 0 : 1);
    }
    int status;
    require(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    say_pending(f.fd);
    establish_and_say(&f);
}

/* ----- Another descriptor that continues ----- */

/* Passed by sendmmsg(2), in the second of two messages, and closed. */
static void sent_among_several(void) {
    connection f = run_so_far();
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &f.fd, sizeof f.fd);
    struct mmsghdr messages[2] = {
        {.msg_hdr = {.msg_iov = &(struct iovec){"w", 1}, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_iov = &(struct iovec){"x", 1}, .msg_iovlen = 1, .msg_control = &control,
                     .msg_controllen = sizeof control}},
    };
    int pair[2];
    char byte;
    require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    require(sendmmsg(pair[0], messages, 2, 0) == 2);
    require(close(f.fd) == 0);
    require(read(pair[1], &byte, 1) == 1 && byte == 'w');
    f.fd = take_descriptor(pair[1]);
    say_pending(f.fd);
    establish_and_say(&f);
}

/* The kernel identifies a registration by the descriptor that it was made with. That descriptor is closed, and stays
 * closed. */
static void registered_by_closed(void) {
    int fd = nonblocking(), second = dup(fd), descriptors = descriptor_count();
    add(ep, fd, EPOLLIN | EPOLLOUT, "F");
    connection f = begin_with(fd, at);
    reach(&f, at);
    close(fd);
    f.fd = second;
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say("descriptors %+d\n", descriptor_count() - descriptors - (f.far >= 0));
    say_connected(&f, "");
}

/* ----- Epolls ----- */

/* By a program under its own filter, which forbids to read what epolls watch (proc_pid_fdinfo(5)). */
static void registered_under_a_filter(void) {
    int fd = nonblocking();
    refuse_call(SYS_openat);
    add(ep, fd, EPOLLOUT, "F");
    connection f = begin_with(fd, at);
    reach(&f, at);
    say("pending %s\n", waiting(ep, 0));
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_connected(&f, "");
}

static void in_many_sets(void) {
    int sets[6], fd = nonblocking();
    for (int index = 0; index < 6; index++) {
        sets[index] = new_epoll();
        require(strcmp(control(sets[index], EPOLL_CTL_ADD, fd, EPOLLOUT, "F"), "0") == 0);
    }
    connection f = begin_with(fd, at);
    reach(&f, at);
    for (int index = 0; index < 6; index++) say("pending %s\n", waiting(sets[index], 0));
    establish(&f, "");
    struct pollfd entry = {fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    for (int index = 0; index < 6; index++) say("established %s\n", waiting(sets[index], 0));
    say_connected(&f, "");
}

static void in_closed_sets(void) {
    int sets[SETS], fine = 0;
    for (int index = 0; index < SETS; index++) sets[index] = new_epoll();
    connection f = run_so_far();
    for (int index = 0; index < SETS; index++) {
        fine += strcmp(control(sets[index], EPOLL_CTL_ADD, f.fd, EPOLLOUT, "F"), "0") == 0;
        close(sets[index]);
    }
    say("added %d\n", fine);
    add(ep, f.fd, EPOLLOUT, "F");
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_connected(&f, "");
}

/* Epolls with the same descriptor, one after the other; and one with another descriptor, which is closed. */
static void in_sets_of_one_number(void) {
    connection f = run_so_far();
    int fine = 0, other = new_epoll();
    add(other, f.fd, EPOLLIN, "other");
    for (int turn = 0; turn < SETS; turn++) {
        fine += strcmp(control(ep, EPOLL_CTL_ADD, f.fd, EPOLLIN, "former"), "0") == 0;
        int new = new_epoll();
        require(dup2(new, ep) == ep && close(new) == 0);
    }
    say("added %d\n", fine);
    add(ep, f.fd, EPOLLOUT, "F");
    delete(other, f.fd);
    establish(&f, "");
    say("established %s\n", waiting(ep, -1));
    say_connected(&f, "");
}

/* ----- The error ----- */

/* The call writes nothing outside the given room. */
static void say_short_error(int fd) {
    unsigned char room[8];
    memset(room, 0xee, sizeof room);
    socklen_t length = 1;
    say("getsockopt %s", outcome(getsockopt(fd, SOL_SOCKET, SO_ERROR, room, &length)));
    say(": %u byte, %d, then %x\n", length, room[0], room[1]);
}

static void without_room(void) {
    connection f = run_so_far();
    say_short_error(f.fd);
    refuse(&f, 5);
    struct pollfd entry = {f.fd, POLLOUT, 0};
    require(poll(&entry, 1, -1) == 1);
    say_short_error(f.fd);
    say("error %s\n", error_of(f.fd));
}

static const pending_case cases[] = {
    {"closed-on-exec", closed_on_exec}, {"onto-itself", onto_itself}, {"from-nothing", from_nothing},
    {"by-wrong-flags", by_wrong_flags}, {"in-vfork-child", in_vfork_child},
    {"another-in-vfork-child", another_in_vfork_child},
    {"sent-among-several", sent_among_several}, {"registered-by-closed", registered_by_closed},
    {"registered-under-a-filter", registered_under_a_filter}, {"in-many-sets", in_many_sets},
    {"in-closed-sets", in_closed_sets}, {"in-sets-of-one-number", in_sets_of_one_number},
    {"without-room", without_room}, {0},
};

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    at = stage_named(arguments[3]);
    ep = new_epoll();
    run_case(cases, arguments[1]);
}
