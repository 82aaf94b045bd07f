/* Processes and threads, and their users. */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "Call.h"

/* geteuid(2) */
static inline uint32_t kernel_effective_user(void) {
    return (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0);
}

static inline long kernel_process_id(void) {
    return kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline int kernel_process_exists(int process) {
    return kernel_call(SYS_kill, process, 0, 0, 0, 0, 0) != -ESRCH;
}

static inline long kernel_thread_id(void) {
    return kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* Whether a thread with this ID exists, in any process. */
static inline int kernel_thread_exists(int thread) {
    return kernel_call(SYS_tkill, thread, 0, 0, 0, 0, 0) != -ESRCH;
}

/* Whether a thread with this ID exists in the process. */
static inline int kernel_thread_exists_in(int process, int thread) {
    return kernel_call(SYS_tgkill, process, thread, 0, 0, 0, 0) != -ESRCH;
}

static inline void kernel_yield(void) {
    kernel_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}
