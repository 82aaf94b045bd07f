/* Signals that a thread blocks. */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "Call.h"

/* How long the kernel's sets of signals are, of which libc's have more. */
enum { KERNEL_SIGNALS_SIZE = sizeof(uint64_t) };

/* A signal's bit in such a set. */
static inline uint64_t kernel_signal(int signal) {
    return (uint64_t)1 << (signal - 1);
}

/* Changes which signals the thread blocks, as `how` says (sigprocmask(2)); those that it did go to `previous`. */
static inline long kernel_signal_mask(int how, const uint64_t *_Nullable signals, uint64_t *_Nullable previous) {
    return kernel_call(SYS_rt_sigprocmask, how, (long)signals, (long)previous, KERNEL_SIGNALS_SIZE, 0, 0);
}

/* Blocks every signal of the thread; the mask that was in force goes to `previous`. */
static inline void kernel_block_signals(uint64_t *_Nonnull previous) {
    const uint64_t all = ~(uint64_t)0;
    kernel_signal_mask(SIG_SETMASK, &all, previous);
}

static inline void kernel_restore_signals(const uint64_t *_Nonnull previous) {
    kernel_signal_mask(SIG_SETMASK, previous, NULL);
}
