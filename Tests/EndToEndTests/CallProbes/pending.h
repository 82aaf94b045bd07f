/* Shared code of the probes of pending connections: a socket on which connect(2) failed with EINPROGRESS, and the far
 * side, which is the probe itself, so it decides what has happened when the program asks.
 *
 * A probe is run as `NAME CASE ADDRESS`: ADDRESS is the proxy's, at port 1080, as in the library's configuration;
 * the destination does not matter. Or, without the library, as `NAME CASE native`: then the connection goes to the
 * probe's own listener, whose queue is full, so the kernel keeps it pending until there is room and the SYN is sent
 * again. A case must print the same both times. */
#pragma once

#include "raw.h"
#include "probe.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/uio.h>

/* The stage of the connection. A native connection has only the first. */
enum stage {
    UNREACHED, /* the proxy's machine has not answered */
    REACHED,   /* connected to the proxy, which has said nothing */
    GREETED,   /* the greeting is answered */
    HALF,      /* half of the reply has been sent */
    ESTABLISHED,
};

unused static const char *const stage_names[] = {"unreached", "reached", "greeted", "half", "established"};

unused static enum stage stage_named(const char *name) {
    for (int stage = UNREACHED; stage < ESTABLISHED; stage++)
        if (strcmp(name, stage_names[stage]) == 0) return stage;
    require(!"a stage");
    return ESTABLISHED;
}

typedef struct {
    int fd;      /* the program's socket */
    int far;     /* the far side's */
    enum stage stage;
} connection;

static int native;
static int listening = -1;
static int filler = -1;
static address target;
static address far_address;
static pid_t main_thread;

/* The call by which the program, with its single thread, lets the handshake continue while the far side waits for
 * bytes. It may expect that the call reports nothing. */
static void (*drive)(connection *);

/* Reports an event that came too early. The limit keeps a polling program from filling the disk. */
#define say_early(...)                        \
    do {                                      \
        static int times;                     \
        if (times++ < 3) say("too early: " __VA_ARGS__); \
    } while (0)

unused static void drive_by_poll(connection *f) {
    struct pollfd entry = {f->fd, POLLIN | POLLOUT, 0};
    int count = poll(&entry, 1, 0);
    if (count != 0) say_early("poll %d, events %x\n", count, entry.revents);
}

/* Fills the listener's queue: the kernel drops a SYN that comes now. */
unused static void fill_queue(void) {
    require(listen(listening, 0) == 0);
    filler = stream(&far_address);
    require(connect(filler, &far_address.any, far_address.length) == 0);
}

unused static void empty_queue(void) {
    if (filler < 0) return;
    require(listen(listening, 1024) == 0);
    close(accept_client(listening));
    close(filler);
    filler = -1;
}

/* Listens at the far side's address, which belongs to the probe also while nothing listens there: a socket that is
 * bound and does not listen leaves the port only to sockets with SO_REUSEADDR. */
static int bound_to_far_side(void) {
    int fd = stream(&far_address);
    require(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0);
    require(bind(fd, &far_address.any, far_address.length) == 0);
    require(getsockname(fd, &far_address.any, &far_address.length) == 0);
    return fd;
}

static void listen_at_far_side(void) {
    listening = bound_to_far_side();
    require(listen(listening, 1024) == 0);
}

unused static void set_up(char **arguments) {
    alarm(50);
    signal(SIGPIPE, SIG_IGN);
    main_thread = gettid();
    drive = drive_by_poll;
    native = strcmp(arguments[2], "native") == 0;
    far_address = native ? numeric("127.0.0.1", "0") : numeric(arguments[2], "1080");
    bound_to_far_side();
    listen_at_far_side();
    target = native ? far_address : numeric("203.0.113.10", "80");
}

unused static int nonblocking(void) {
    int fd = socket(target.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    require(fd >= 0);
    return fd;
}

/* Whether the last connect(2) of a socket has reported the outcome. */
static char connect_told[1 << 16];

unused static const char *connect_to_target(int fd) {
    int result = connect(fd, &target.any, target.length);
    connect_told[fd] = result == 0 || (errno != EINPROGRESS && errno != EALREADY && errno != EINTR);
    return outcome(result);
}

unused static const char *error_of(int fd) {
    int error = -1;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return outcome(-1);
    return error == 0 ? "0" : strerrorname_np(error);
}

/* Connects an existing socket. */
unused static connection begin_with(int fd, enum stage stage) {
    if (filler < 0 && (native || stage == UNREACHED)) fill_queue();
    const char *result = connect_to_target(fd);
    if (strcmp(result, "EINPROGRESS") != 0) say("connect %s\n", result);
    return (connection){fd, -1, UNREACHED};
}

unused static connection begin_pending(enum stage stage) { return begin_with(nonblocking(), stage); }

/* Waits for that many bytes at the far side. Without `drive`, the wait continues no handshake of this process. */
unused static void await(connection *f, int wanted) {
    for (int there = 0;;) {
        require(ioctl(f->far, FIONREAD, &there) == 0);
        if (there >= wanted) return;
        struct pollfd entry = {f->far, POLLIN, 0};
        if (!drive) {
            raw(SYS_ppoll, (long)&entry, 1, 0, 0, 0);
            continue;
        }
        drive(f);
        poll(&entry, 1, 1);
    }
}

static const char good_reply[10] = {5, 0, 0, 1};

/* Lets the connection reach this stage, and no later one. */
unused static void reach(connection *f, enum stage stage) {
    if (native) return;
    if (f->stage < REACHED && stage >= REACHED) {
        empty_queue();
        f->far = accept_client(listening);
        f->stage = REACHED;
    }
    if (f->stage < GREETED && stage >= GREETED) {
        await(f, 3);
        answer_greeting(f->far);
        f->stage = GREETED;
    }
    if (f->stage < HALF && stage >= HALF) {
        unsigned char request[10];
        await(f, 10);
        require(read_all(f->far, request, 10) && memcmp(request, "\5\1\0\1\313\0\161\12\0\120", 10) == 0);
        require(write(f->far, good_reply, 5) == 5);
        f->stage = HALF;
    }
}

/* Connects a refused socket once more. */
unused static connection begin_again(int fd, enum stage stage) {
    if (listening < 0) listen_at_far_side();
    if (native) fill_queue();
    int is_aborted = !connect_told[fd];
    const char *result = connect_to_target(fd);
    /* The kernel's result, once, after another call than connect(2) has reported a failure. */
    if (is_aborted) {
        if (strcmp(result, "ECONNABORTED") != 0) say("not aborted: %s\n", result);
        result = connect_to_target(fd);
    }
    if (strcmp(result, "EINPROGRESS") != 0) say("connect %s\n", result);
    connection f = {fd, -1, UNREACHED};
    reach(&f, stage);
    return f;
}

/* Completes the connection; the target's bytes follow at once. */
unused static void establish(connection *f, const char *tail) {
    size_t length = strlen(tail);
    if (native) {
        empty_queue();
        f->far = accept_client(listening);
        require(write(f->far, tail, length) == (ssize_t)length);
    } else {
        char bytes[128];
        reach(f, HALF);
        memcpy(bytes, good_reply + 5, 5);
        memcpy(bytes + 5, tail, length);
        require(write(f->far, bytes, 5 + length) == (ssize_t)(5 + length));
    }
    f->stage = ESTABLISHED;
}

/* The far side in a thread of its own, for a blocking connect(2). */
unused static void *meet_and_land(void *argument) {
    connection *f = argument;
    if (native) {
        f->far = accept_client(listening);
    } else {
        drive = NULL;
        establish(f, "");
    }
    return NULL;
}

/* Stops listening; no other socket can listen there, either. */
unused static void close_far_side(void) {
    close(listening);
    close(filler);
    listening = filler = -1;
    int other = stream(&far_address);
    require(bind(other, &far_address.any, far_address.length) != 0 && errno == EADDRINUSE);
    close(other);
}

/* Ends the connection with a refusal. */
unused static void refuse(connection *f, int code) {
    if (native) {
        require(code == 5);
        close_far_side();
        return;
    }
    if (f->stage == HALF) {
        /* The reply has already reported success, so the proxy closes the connection. */
        close(f->far);
        return;
    }
    reach(f, GREETED);
    char bytes[10] = {5, (char)code, 0, 1};
    unsigned char request[10];
    await(f, 10);
    require(read_all(f->far, request, 10) && write(f->far, bytes, 10) == 10);
    f->stage = ESTABLISHED;
}

/* Waits until a thread of this process sleeps in a call. */
unused static void await_sleep(pid_t thread) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    for (;; doze(500)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        require(fd >= 0);
        ssize_t length = read(fd, text, sizeof text - 1);
        close(fd);
        require(length > 0);
        text[length] = 0;
        if (strstr(text, ") S ")) return;
    }
}

/* For a thread: sends SIGUSR1 to the main thread when that one waits. */
unused static void *interrupt_when_asleep(void *nothing) {
    await_sleep(main_thread);
    require(tgkill(getpid(), main_thread, SIGUSR1) == 0);
    return nothing;
}

/* The far side in a thread of its own, which takes the next step whenever the main thread sleeps. */
typedef struct {
    connection *f;
    int code;
    const char *tail;
    void (*before_end)(void);
    pthread_t thread;
} pilot;

unused static void *run_pending(void *argument) {
    pilot *p = argument;
    for (int stage = REACHED; stage <= HALF - (p->code != 0); stage++) {
        await_sleep(main_thread);
        reach(p->f, stage);
    }
    await_sleep(main_thread);
    if (p->before_end) p->before_end();
    if (p->code) refuse(p->f, p->code);
    else establish(p->f, p->tail ? p->tail : "");
    return NULL;
}

/* From here on only the program's own calls continue the handshake. */
unused static void board(pilot *p) {
    drive = NULL;
    require(pthread_create(&p->thread, NULL, run_pending, p) == 0);
}

unused static void leave(pilot *p) { require(pthread_join(p->thread, NULL) == 0); }

/* "IN|OUT"; the names are the same for poll(2) and epoll(7). */
unused static const char *event_names(unsigned events) {
    static __thread char text[4][100];
    static __thread int turn;
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {
        {EPOLLIN, "IN"}, {EPOLLPRI, "PRI"}, {EPOLLOUT, "OUT"}, {EPOLLERR, "ERR"}, {EPOLLHUP, "HUP"},
        {EPOLLRDHUP, "RDHUP"}, {POLLNVAL, "NVAL"}, {EPOLLRDNORM, "RDNORM"}, {EPOLLWRNORM, "WRNORM"},
    };
    char *result = text[turn++ % 4];
    result[0] = 0;
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (!(events & names[index].bit)) continue;
        if (result[0]) strcat(result, "|");
        strcat(result, names[index].name);
        events &= ~names[index].bit;
    }
    if (events) sprintf(result + strlen(result), "%s%x", result[0] ? "|" : "", events);
    return result[0] ? result : "nothing";
}

/* Prints whether the socket is connected and its bytes arrive in both directions, no more and no less. */
unused static void say_connected(connection *f, const char *tail) {
    char bytes[128] = {0};
    say("error %s\n", error_of(f->fd));
    say("peer %s\n", strcmp(peer_of(f->fd), text_of(&target.any)) == 0 ? "as connected to" : peer_of(f->fd));
    /* The kernel returns 0 once to a second connect(2), if that call has not reported the outcome before. */
    const char *expected = connect_told[f->fd] ? "EISCONN" : "0", *again = connect_to_target(f->fd);
    if (strcmp(again, expected) != 0) say("again %s first\n", again);
    say("again %s\n", connect_to_target(f->fd));
    require(read_all(f->fd, bytes, strlen(tail)));
    if (strcmp(bytes, tail) != 0) say("heard %s\n", bytes);
    require(write(f->far, "ping", 4) == 4);
    require(read_all(f->fd, bytes, 4));
    say("heard %.4s\n", bytes);
    require(write(f->fd, "pong", 4) == 4 && shutdown(f->fd, SHUT_WR) == 0);
    ssize_t length = 0;
    for (ssize_t some; (some = read(f->far, bytes + length, 100 - (size_t)length)) > 0;) length += some;
    say("said %.*s\n", (int)length, bytes);
}

/* Runs the case of that name. */
typedef struct {
    const char *name;
    void (*run)(void);
} pending_case;

unused static void run_case(const pending_case *cases, const char *name) {
    for (; cases->name; cases++) {
        if (strcmp(cases->name, name) != 0) continue;
        cases->run();
        return;
    }
    require(!"a case of this probe");
}
