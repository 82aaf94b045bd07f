/* pending-beside CALL ADDRESS: a pending connection for which the program does not wait. It waits for another event,
 * which comes only after the connection is established. */
#include "pending.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <threads.h>

static int ends[2];
static int others = -1;
static address others_address;

/* ----- The ends of the waits ----- */

static void say_byte(void) { require(write(ends[1], "x", 1) == 1); }

static void take_bytes(void) {
    static char bytes[1 << 16];
    require(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    while (read(ends[0], bytes, sizeof bytes) > 0) continue;
}

static void connect_to_other(void) {
    int fd = stream(&others_address);
    require(connect(fd, &others_address.any, others_address.length) == 0);
}

/* Sends signals to a sleeping thread until the thread reports that it is awake. */
static volatile int is_woken, is_awake;

static void wake(void) {
    is_woken = 1;
    while (!is_awake) {
        require(tgkill(getpid(), main_thread, SIGUSR1) == 0);
        doze(500);
    }
}

/* ----- The waits ----- */

static char heard_bytes[8];

/* A child that ends when the byte comes. */
static pid_t child;

static void make_child(void) {
    require(pipe(ends) == 0);
    child = fork();
    if (child != 0) return;
    read(ends[0], heard_bytes, 1);
    _exit(0);
}

static ssize_t by_wait(void) { return wait(NULL) == child ? 1 : -1; }
static ssize_t by_wait3(void) { return wait3(NULL, 0, NULL) == child ? 1 : -1; }
static ssize_t by_wait4(void) { return wait4(child, NULL, 0, NULL) == child ? 1 : -1; }
static ssize_t by_waitpid(void) { return waitpid(child, NULL, 0) == child ? 1 : -1; }

static ssize_t by_waitid(void) {
    siginfo_t found;
    return waitid(P_PID, (id_t)child, &found, WEXITED) == 0 && found.si_pid == child ? 1 : -1;
}

static ssize_t by_read(void) { return read(ends[0], heard_bytes, 1); }
static ssize_t by_readv(void) { return readv(ends[0], &(struct iovec){heard_bytes, 1}, 1); }
static ssize_t by_recv(void) { return recv(ends[0], heard_bytes, 1, 0); }
static ssize_t by_recvfrom(void) { return recvfrom(ends[0], heard_bytes, 1, 0, NULL, NULL); }

static ssize_t by_recvmsg(void) {
    struct iovec part = {heard_bytes, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return recvmsg(ends[0], &message, 0);
}

static ssize_t by_recvmmsg(void) {
    struct iovec part = {heard_bytes, 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    return recvmmsg(ends[0], &message, 1, 0, NULL);
}

static ssize_t by_write(void) { return write(ends[1], "x", 1); }
static ssize_t by_send(void) { return send(ends[1], "x", 1, 0); }

static ssize_t by_accept(void) { return accept(others, NULL, NULL) < 0 ? -1 : 1; }
static ssize_t by_accept4(void) { return accept4(others, NULL, NULL, SOCK_CLOEXEC) < 0 ? -1 : 1; }

static ssize_t by_poll(void) { return poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, -1); }
static ssize_t by_ppoll(void) { return ppoll(&(struct pollfd){ends[0], POLLIN, 0}, 1, NULL, NULL); }

static ssize_t by_select(void) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    return select(ends[0] + 1, &set, NULL, NULL, NULL);
}

static ssize_t by_pselect(void) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    return pselect(ends[0] + 1, &set, NULL, NULL, NULL, NULL);
}

static int epoll;
static struct epoll_event event = {.events = EPOLLIN};
static ssize_t by_epoll_wait(void) { return epoll_wait(epoll, &event, 1, -1); }
static ssize_t by_epoll_pwait(void) { return epoll_pwait(epoll, &event, 1, -1, NULL); }
static ssize_t by_epoll_pwait2(void) { return epoll_pwait2(epoll, &event, 1, NULL, NULL); }

/* An epoll, at which the program does not wait, watches the connection. */
static int watching = -1;

/* The result of a sleep that a handler has ended; `left` is its remaining time. 1, or an error if no signal woke it. */
static ssize_t woken(int error, double left) {
    /* The kernel includes its slack, too (prctl(2), PR_SET_TIMERSLACK). */
    if (error != EINTR || left <= 0 || left > 61) return -2;
    if (is_woken) {
        is_awake = 1;
        return 1;
    }
    errno = error;
    return -1;
}

static double seconds(struct timespec time) { return (double)time.tv_sec + (double)time.tv_nsec / 1e9; }

static const struct timespec minute = {60, 0};

/* Invalid times, and pointers that cannot be written. */
static const struct timespec *volatile nowhere = (const struct timespec *)8;
static const struct timespec too_much = {0, 1000000000};

static ssize_t by_nanosleep(void) {
    struct timespec left;
    require(nanosleep(nowhere, NULL) < 0 && errno == EFAULT);
    require(nanosleep(&too_much, NULL) < 0 && errno == EINVAL);
    int result = nanosleep(&minute, &left);
    return woken(result == 0 ? 0 : errno, seconds(left));
}

static ssize_t by_clock_nanosleep(void) {
    struct timespec left;
    require(clock_nanosleep(CLOCK_REALTIME, 0, nowhere, NULL) == EFAULT);
    require(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &too_much, NULL) == EINVAL);
    int error = clock_nanosleep(CLOCK_REALTIME, 0, &minute, &left);
    return woken(error, seconds(left));
}

static ssize_t by_clock_nanosleep_until(void) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    time.tv_sec += 60;
    return woken(clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &time, NULL), 60);
}

static ssize_t by_sleep(void) {
    unsigned left = sleep(60);
    return woken(left ? EINTR : 0, left);
}

static ssize_t by_usleep(void) { return woken(usleep(60000000) == 0 ? 0 : errno, 60); }

static ssize_t by_thrd_sleep(void) {
    struct timespec left;
    int result = thrd_sleep(&minute, &left);
    return woken(result == -1 ? EINTR : 0, seconds(left));
}

static ssize_t by_pause(void) { return woken(pause() == -1 ? errno : 0, 60); }

static ssize_t by_sigsuspend(void) {
    sigset_t none;
    sigemptyset(&none);
    return woken(sigsuspend(&none) == -1 ? errno : 0, 60);
}

static void make_nothing(void) {}

static void block_signal(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    require(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

static void make_pipe(void) { require(pipe(ends) == 0); }
static void make_pair(void) { require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0); }

static void fill(void) {
    static const char bytes[4096];
    int flags = fcntl(ends[1], F_GETFL);
    require(fcntl(ends[1], F_SETFL, flags | O_NONBLOCK) == 0);
    while (write(ends[1], bytes, sizeof bytes) > 0) continue;
    while (write(ends[1], bytes, 1) > 0) continue;
    require(fcntl(ends[1], F_SETFL, flags) == 0);
}

static void make_full_pipe(void) { make_pipe(), fill(); }
static void make_full_pair(void) { make_pair(), fill(); }
static void make_listener(void) { others = listener("127.0.0.1", "0", &others_address); }

static void make_epoll(void) {
    make_pipe();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
}

typedef struct {
    const char *name;
    void (*make)(void);
    ssize_t (*wait)(void);
    void (*release)(void);
} call;

static const call calls[] = {
    {"read", make_pipe, by_read, say_byte},
    {"readv", make_pipe, by_readv, say_byte},
    {"recv", make_pair, by_recv, say_byte},
    {"recvfrom", make_pair, by_recvfrom, say_byte},
    {"recvmsg", make_pair, by_recvmsg, say_byte},
    {"recvmmsg", make_pair, by_recvmmsg, say_byte},
    {"write", make_full_pipe, by_write, take_bytes},
    {"send", make_full_pair, by_send, take_bytes},
    {"accept", make_listener, by_accept, connect_to_other},
    {"accept4", make_listener, by_accept4, connect_to_other},
    {"wait", make_child, by_wait, say_byte},
    {"wait3", make_child, by_wait3, say_byte},
    {"wait4", make_child, by_wait4, say_byte},
    {"waitpid", make_child, by_waitpid, say_byte},
    {"waitid", make_child, by_waitid, say_byte},
    {"poll", make_pipe, by_poll, say_byte},
    {"ppoll", make_pipe, by_ppoll, say_byte},
    {"select", make_pipe, by_select, say_byte},
    {"pselect", make_pipe, by_pselect, say_byte},
    {"epoll_wait", make_epoll, by_epoll_wait, say_byte},
    {"epoll_pwait", make_epoll, by_epoll_pwait, say_byte},
    {"epoll_pwait2", make_epoll, by_epoll_pwait2, say_byte},
    {"nanosleep", make_nothing, by_nanosleep, wake},
    {"clock_nanosleep", make_nothing, by_clock_nanosleep, wake},
    {"clock_nanosleep until", make_nothing, by_clock_nanosleep_until, wake},
    {"sleep", make_nothing, by_sleep, wake},
    {"usleep", make_nothing, by_usleep, wake},
    {"thrd_sleep", make_nothing, by_thrd_sleep, wake},
    {"pause", make_nothing, by_pause, wake},
    {"sigsuspend", block_signal, by_sigsuspend, wake},
};

static const call *the_call;

static int is_restarted;

static void *run_and_release(void *argument) {
    if (is_restarted) interrupt_when_asleep(NULL);
    run_pending(argument);
    the_call->release();
    return NULL;
}

static volatile int handled;

static void handle(int number unused) { handled++; }

int main(int count, char **arguments) {
    require(count == 4);
    set_up(arguments);
    for (size_t index = 0; index < sizeof calls / sizeof *calls; index++)
        if (strcmp(calls[index].name, arguments[1]) == 0) the_call = &calls[index];
    require(the_call);
    the_call->make();
    const char *way = arguments[3];
    is_restarted = strcmp(way, "restarted") == 0;
    struct sigaction action = {.sa_handler = handle, .sa_flags = is_restarted ? SA_RESTART : 0};
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t interrupting;
    connection f = begin_pending(REACHED);
    if (strcmp(way, "watched") == 0) {
        watching = epoll_create1(EPOLL_CLOEXEC);
        require(epoll_ctl(watching, EPOLL_CTL_ADD, f.fd, &(struct epoll_event){.events = EPOLLOUT}) == 0);
    } else if (strcmp(way, "interrupted") == 0) {
        require(pthread_create(&interrupting, NULL, interrupt_when_asleep, NULL) == 0);
        ssize_t result = the_call->wait();
        say("interrupted: %s\n", result < 0 ? outcome(-1) : "done");
        require(pthread_join(interrupting, NULL) == 0);
    }
    pilot p = {.f = &f};
    drive = NULL;
    require(pthread_create(&p.thread, NULL, run_and_release, &p) == 0);
    say("%s: %zd\n", the_call->name, the_call->wait());
    if (is_restarted) say("handled %d\n", handled);
    leave(&p);
    struct pollfd entry = {f.fd, POLLOUT, 0};
    int ready = poll(&entry, 1, -1);
    say("poll %d %s\n", ready, event_names(entry.revents));
    say_connected(&f, "");
}
