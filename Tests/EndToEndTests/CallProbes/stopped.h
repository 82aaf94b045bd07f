/* Stops a thread in the middle of a call into the library: until it continues, it holds the values from before. A
 * process of the probe traces it, so that nothing depends on time.
 *
 *     start_tracer();                                  before there are threads
 *     stopped s;
 *     run_stopped(&s, body, argument, COOKIE_TOLD, 1); `body` runs until it comes there a first time
 *     ...
 *     let_go();
 *     join(&s);                                        until it is over */
#pragma once

#include "raw.h"

#include "probe.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>

/* The point at which a thread stops. */
enum halt {
    COOKIE_TOLD,  /* The kernel has told which socket a descriptor stands for (SO_COOKIE). */
    REPLACING,    /* Another socket is about to take the place of the descriptor's (dup3). */
    ASKING_LIMIT, /* The kernel is about to be asked how long a call may wait to receive (SO_RCVTIMEO). */
    WAITING,      /* It is about to wait for longer than for a moment (ppoll). */
    OPENING,      /* It is about to open a file (openat). */
};

typedef struct {
    void (*body)(void *);
    void *argument;
    pthread_t thread;
    int ready[2], go[2];
} stopped;

struct order {
    pid_t thread;
    enum halt halt;
    int number;
};

static int to_tracer, from_tracer;

/* Whether a call of ppoll(2) waits longer than the library waits before it knows the call's limit. */
unused static int waits(pid_t thread, unsigned long long limit) {
    if (limit == 0) return 1;
    errno = 0;
    long seconds = ptrace(PTRACE_PEEKDATA, thread, limit, 0);
    long nanoseconds = ptrace(PTRACE_PEEKDATA, thread, limit + sizeof seconds, 0);
    require(errno == 0);
    return seconds > 0 || nanoseconds > 10000000;
}

/* Whether the thread, at the begin or end of a system call, has reached the point. */
unused static int is_there(pid_t thread, enum halt halt, int *is_asking) {
    struct __ptrace_syscall_info info;
    require(ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) > 0);
    int begins = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    int asks = begins && info.entry.nr == SYS_getsockopt && info.entry.args[1] == SOL_SOCKET;
    if (begins) *is_asking = asks && info.entry.args[2] == SO_COOKIE;
    switch (halt) {
    case COOKIE_TOLD: return !begins && *is_asking;
    case REPLACING: return begins && info.entry.nr == SYS_dup3;
    case ASKING_LIMIT: return asks && info.entry.args[2] == SO_RCVTIMEO;
    case OPENING: return begins && info.entry.nr == SYS_openat;
    case WAITING: return begins && info.entry.nr == SYS_ppoll && waits(thread, info.entry.args[2]);
    }
    return 0;
}

/* The tracer's side of one thread. */
unused static void trace(const struct order *order, int from, int to) {
    pid_t thread = order->thread;
    int status, is_asking = 0;
    char byte;
    require(ptrace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACESYSGOOD) == 0);
    require(ptrace(PTRACE_INTERRUPT, thread, 0, 0) == 0 && waitpid(thread, &status, __WALL) == thread);
    require(write(to, "t", 1) == 1);
    for (int count = 0, signal = 0; count < order->number;) {
        require(ptrace(PTRACE_SYSCALL, thread, 0, signal) == 0 && waitpid(thread, &status, __WALL) == thread);
        require(WIFSTOPPED(status));
        int is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        signal = is_call || status >> 16 ? 0 : WSTOPSIG(status);
        if (is_call && is_there(thread, order->halt, &is_asking)) count++;
    }
    require(write(to, "s", 1) == 1 && read(from, &byte, 1) == 1);
    require(ptrace(PTRACE_DETACH, thread, 0, 0) == 0);
}

/* Becomes the tracer, and continues as its child. */
unused static void start_tracer(void) {
    int down[2], up[2];
    require(pipe(down) == 0 && pipe(up) == 0);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        close(down[0]);
        close(up[1]);
        to_tracer = down[1];
        from_tracer = up[0];
        return;
    }
    close(down[1]);
    close(up[0]);
    for (struct order order; read(down[0], &order, sizeof order) == sizeof order;) trace(&order, down[0], up[1]);
    int status;
    require(waitpid(child, &status, 0) == child);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

unused static void *run_traced(void *argument) {
    stopped *s = argument;
    pid_t thread = gettid();
    char byte;
    require(write(s->ready[1], &thread, sizeof thread) == sizeof thread);
    require(raw(SYS_read, s->go[0], (long)&byte, 1, 0, 0) == 1);
    s->body(s->argument);
    return NULL;
}

unused static void expect_from_tracer(char expected) {
    char byte;
    /* A raw call, which the library does not see: its own wait would continue the pending handshakes. */
    require(raw(SYS_read, from_tracer, (long)&byte, 1, 0, 0) == 1 && byte == expected);
}

/* Starts a thread that runs `body` until it has reached the point that many times. */
unused static void run_stopped(stopped *s, void (*body)(void *), void *argument, enum halt halt, int number) {
    *s = (stopped){.body = body, .argument = argument};
    require(pipe(s->ready) == 0 && pipe(s->go) == 0 && pthread_create(&s->thread, NULL, run_traced, s) == 0);
    struct order order = {.halt = halt, .number = number};
    require(raw(SYS_read, s->ready[0], (long)&order.thread, sizeof order.thread, 0, 0) == sizeof order.thread);
    require(write(to_tracer, &order, sizeof order) == sizeof order);
    expect_from_tracer('t');
    require(write(s->go[1], "g", 1) == 1);
    expect_from_tracer('s');
}

unused static void let_go(void) {
    require(write(to_tracer, "l", 1) == 1);
}

/* Waits for the end of `body`, which continues. */
unused static void join(stopped *s) {
    require(pthread_join(s->thread, NULL) == 0);
    for (int end = 0; end < 2; end++) require(close(s->ready[end]) == 0 && close(s->go[end]) == 0);
}
