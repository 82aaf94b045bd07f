#include "MechanismCalls.h"

#include <pthread.h>

#include "CKernel.h"

__thread int mechanism_calls_of_thread __attribute__((visibility("hidden"), tls_model("initial-exec")));
static __thread int were_refused __attribute__((tls_model("initial-exec")));

void mechanism_calls_begin(enum mechanism_calls kind) {
    mechanism_calls_of_thread = kind;
    were_refused = 0;
}

void mechanism_calls_end(void) {
    mechanism_calls_of_thread = MECHANISM_CALLS_NONE;
}

void mechanism_calls_refuse(void) {
    were_refused = 1;
}

int mechanism_calls_were_refused(void) {
    return were_refused;
}

/* ----- A thread ----- */

enum { THREAD_STACK = 512 * 1024 };

struct start {
    void (*function)(void *);
    void *argument;
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    kernel_unmap(argument, sizeof start);
    start.function(start.argument);
    return NULL;
}

int library_thread_start(void (*function)(void *), void *argument) {
    long mapped = kernel_map(sizeof(struct start));
    if (mapped < 0) return (int)-mapped;
    struct start *start = (struct start *)mapped;
    *start = (struct start){function, argument};
    pthread_attr_t attributes;
    pthread_t thread;
    const uint64_t all = UINT64_MAX;
    uint64_t signals;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    int is_blocked = kernel_signal_mask(SIG_BLOCK, &all, &signals) == 0;
    int error = pthread_create(&thread, &attributes, run, start);
    if (is_blocked) kernel_signal_mask(SIG_SETMASK, &signals, NULL);
    pthread_attr_destroy(&attributes);
    if (error) kernel_unmap(start, sizeof *start);
    return error;
}
