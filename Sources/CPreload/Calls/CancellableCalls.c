#include "CancellableCalls.h"

#include <pthread.h>

#include "CKernel.h"
#include "LibraryStack.h"

static void abandon(void *unused) {
    (void)unused;
    library_stack_abandon();
}

/* Makes a call during which the thread may be cancelled. */
static long cancellable(library_function *call, void *argument) {
    int previous;
    long result;
    pthread_cleanup_push(abandon, NULL);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &previous);
    result = call(argument);
    pthread_setcanceltype(previous, NULL);
    pthread_cleanup_pop(0);
    return result;
}

struct connection {
    int fd;
    const void *address;
    socklen_t length;
};

static long connect_now(void *argument) {
    const struct connection *call = argument;
    return kernel_connect(call->fd, call->address, call->length);
}

static long connect_cancellably(void *call) {
    return cancellable(connect_now, call);
}

long cancellable_connect(int fd, const void *address, socklen_t length) {
    return program_stack_run(connect_cancellably, &(struct connection){fd, address, length});
}

struct wait {
    struct pollfd *descriptor;
    const struct timespec *limit;
    const uint64_t *signals;
    /* For select(2), which takes more room than there may be on the program's stack. */
    struct select_set *set;
};

static long poll_now(void *argument) {
    const struct wait *wait = argument;
    return kernel_call(SYS_ppoll, (long)wait->descriptor, wait->descriptor ? 1 : 0, (long)wait->limit,
                       (long)wait->signals, KERNEL_SIGNALS_SIZE, 0);
}

static long poll_cancellably(void *wait) {
    return cancellable(poll_now, wait);
}

static long select_now(void *argument) {
    const struct wait *wait = argument;
    return kernel_select(wait->descriptor->fd, wait->descriptor->events, wait->limit, wait->signals, wait->set);
}

static long select_cancellably(void *wait) {
    return cancellable(select_now, wait);
}

long cancellable_poll(struct pollfd *descriptor, int milliseconds) {
    struct timespec limit = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    /* The kernel unblocks the signals and waits in one: one that came since the last wait ends it. */
    struct wait wait = {descriptor, milliseconds < 0 ? NULL : &limit, program_signals(), NULL};
    long result = program_stack_run_blocked(poll_cancellably, &wait);
    if (result != -EINVAL) return result;
    struct select_set set;
    wait.set = &set;
    result = program_stack_run_blocked(select_cancellably, &wait);
    descriptor->revents = result > 0 ? descriptor->events : 0;
    return result;
}

bool interruptible_sleep(long nanoseconds) {
    return ON_PROGRAM_STACK(kernel_sleep, nanoseconds);
}

long interruptible_open_to_read(const char *path) {
    return ON_PROGRAM_STACK(kernel_open_to_read, path);
}

long interruptible_read(int fd, void *bytes, size_t count) {
    return ON_PROGRAM_STACK(kernel_read, fd, bytes, count);
}

long interruptible_write_unasked(int fd, const void *bytes, size_t count) {
    return ON_PROGRAM_STACK(kernel_write_unasked, fd, bytes, count);
}

int interruptible_by_handler(void) {
    const uint64_t *known = program_signals();
    uint64_t blocked = 0;
    if (known)
        blocked = *known;
    else
        kernel_signal_mask(SIG_BLOCK, NULL, &blocked);
    for (int signal = 1; signal < NSIG; signal++) {
        struct {
            void (*handler)(int);
            unsigned long flags;
            uintptr_t restorer;
            uint64_t mask;
        } action;
        if (blocked & kernel_signal(signal)) continue;
        if (kernel_call(SYS_rt_sigaction, signal, 0, (long)&action, KERNEL_SIGNALS_SIZE, 0, 0) != 0) continue;
        if (action.handler == SIG_DFL || action.handler == SIG_IGN) continue;
        if (!(action.flags & SA_RESTART)) return 1;
    }
    return 0;
}
