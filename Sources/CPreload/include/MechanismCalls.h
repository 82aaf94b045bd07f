/* The calls of a security mechanism (Kerberos), which come through the exported names like the program's.
 *
 * What it asks its own servers goes to them directly, whatever the rules say: a proxy that is authenticated with by
 * their answers cannot lead to them. A thread that must not wait has them refused.
 *
 * In C, because every hook that connects or looks up asks for it, and a thread-local variable needs no call. */
#pragma once

#include <stdint.h>

enum mechanism_calls {
    /* The thread's calls are the program's. */
    MECHANISM_CALLS_NONE,
    MECHANISM_CALLS_DIRECT,
    MECHANISM_CALLS_REFUSED,
};

extern __thread int mechanism_calls_of_thread __attribute__((visibility("hidden"), tls_model("initial-exec")));

static inline enum mechanism_calls mechanism_calls(void) {
    return (enum mechanism_calls)mechanism_calls_of_thread;
}

/* From now on, until the end, the thread's calls are the mechanism's. */
void mechanism_calls_begin(enum mechanism_calls kind);
void mechanism_calls_end(void);
/* A call is refused; and whether any was since the beginning. */
void mechanism_calls_refuse(void);
int mechanism_calls_were_refused(void);

/* Starts a thread that ends when `function` returns, with all signals blocked and a stack that is large enough for a
 * mechanism. 0 or an error number. */
int library_thread_start(void (*_Nonnull function)(void *_Nullable), void *_Nullable argument);
