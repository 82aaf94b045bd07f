/* The signal mask of a thread. */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "Call.h"

/* The size of the kernel's signal sets in bytes; libc's are larger. */
enum { KERNEL_SIGNALS_SIZE = sizeof(uint64_t) };

/* A signal's bit in such a set. */
static inline uint64_t kernel_signal(int signal) {
    return (uint64_t)1 << (signal - 1);
}

/* Changes the signal mask of the thread (sigprocmask(2)). */
static inline long kernel_signal_mask(int how, const uint64_t *_Nullable signals, uint64_t *_Nullable previous) {
    return kernel_call(SYS_rt_sigprocmask, how, (long)signals, (long)previous, KERNEL_SIGNALS_SIZE, 0, 0);
}

/* Blocks every signal of the thread and stores the former mask in `previous`. */
static inline void kernel_block_signals(uint64_t *_Nonnull previous) {
    const uint64_t all = ~(uint64_t)0;
    kernel_signal_mask(SIG_SETMASK, &all, previous);
}

static inline void kernel_restore_signals(const uint64_t *_Nonnull previous) {
    kernel_signal_mask(SIG_SETMASK, previous, NULL);
}
