/* Descriptors of any kind. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

#include "Call.h"
#include "Processes.h"
#include "Signals.h"

static inline long kernel_read(int fd, void *_Nonnull bytes, size_t count) {
    return kernel_call(SYS_read, fd, (long)bytes, (long)count, 0, 0, 0);
}

static inline long kernel_read_at(int fd, void *_Nonnull bytes, size_t count, size_t offset) {
    return kernel_call(SYS_pread64, fd, (long)bytes, (long)count, (long)offset, 0, 0);
}

static inline long kernel_write_at(int fd, const void *_Nonnull bytes, size_t count, size_t offset) {
    return kernel_call(SYS_pwrite64, fd, (long)bytes, (long)count, (long)offset, 0, 0);
}

static inline long kernel_write(int fd, const void *_Nonnull bytes, size_t count) {
    return kernel_call(SYS_write, fd, (long)bytes, (long)count, 0, 0, 0);
}

/* Like write(2), but without SIGPIPE and SIGXFSZ, which would kill a program for a log line of the library. */
static inline long kernel_write_unasked(int fd, const void *_Nonnull bytes, size_t count) {
    const uint64_t deadly = kernel_signal(SIGPIPE) | kernel_signal(SIGXFSZ);
    uint64_t blocked, pending;
    kernel_signal_mask(SIG_BLOCK, &deadly, &blocked);
    kernel_call(SYS_rt_sigpending, (long)&pending, KERNEL_SIGNALS_SIZE, 0, 0, 0, 0);
    long result = kernel_write(fd, bytes, count);
    if (result == -EPIPE || result == -EFBIG) {
        const uint64_t raised = deadly & ~pending;
        const struct timespec now = {0, 0};
        kernel_call(SYS_rt_sigtimedwait, (long)&raised, 0, (long)&now, KERNEL_SIGNALS_SIZE, 0, 0);
    }
    kernel_signal_mask(SIG_SETMASK, &blocked, NULL);
    return result;
}

static inline long kernel_close(int fd) {
    return kernel_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

/* Whether an executed program inherits the descriptor (fcntl(2), FD_CLOEXEC). */
static inline int kernel_is_inherited(int fd) {
    long flags = kernel_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0);
    return flags >= 0 && !(flags & FD_CLOEXEC);
}

/* Has an executed program inherit the descriptor. */
static inline long kernel_hand_on(int fd) {
    return kernel_call(SYS_fcntl, fd, F_SETFD, 0, 0, 0, 0);
}

/* fcntl(F_GETFL) */
static inline long kernel_status_flags(int fd) {
    return kernel_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
}

/* Copies the status flags of another file, and the recipient of its signals (fcntl(2), O_ASYNC). */
void kernel_take_over_flags(int fd, int from);

/* Redirects a descriptor to the open file of another (dup3(2)), and keeps its FD_CLOEXEC. */
static inline long kernel_redirect(int fd, int to) {
    long flags = kernel_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0);
    if (flags < 0) return flags;
    return kernel_call(SYS_dup3, to, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0, 0, 0, 0);
}

/* fcntl(F_DUPFD_CLOEXEC): the lowest free descriptor from `least` on. */
static inline long kernel_duplicate(int fd, int least) {
    return kernel_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least, 0, 0, 0);
}

/* Whether two descriptors have the same open file description (kcmp(2)); true if the kernel refuses to tell. */
static inline int kernel_is_same_file(int fd, int other) {
    long process = kernel_process_id();
    return kernel_call(SYS_kcmp, process, process, KCMP_FILE, fd, other, 0) <= 0;
}

/* The soft limit of descriptors (RLIMIT_NOFILE). */
static inline long kernel_descriptor_limit(void) {
    enum { LARGEST = 1 << 30 };
    struct rlimit limit;
    long result = kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0, 0);
    return result < 0 || limit.rlim_cur > LARGEST ? LARGEST : (long)limit.rlim_cur;
}
