#include "FileAnswer.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "Kernel.h"
#include "ProcessState.h"
#include "RealLibC.h"

/* Whether the process was started under a filter (seccomp(2)), which may answer a call by ending it. */
static int is_filtered(void) {
    return kernel_call(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0, 0) != 0;
}

/* Whether the kernel has all at hand that leads to the file, and that is on a disk of this machine or is nothing. */
static int is_at_hand(const char *path) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED};
    long fd = kernel_call(SYS_openat2, AT_FDCWD, (long)path, (long)&how, sizeof how, 0, 0);
    if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES) return 1;
    if (fd < 0) return 0;
    struct statx status;
    long result = kernel_call(SYS_statx, fd, (long)"", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, (long)&status, 0);
    kernel_close((int)fd);
    return result == 0 && status.stx_dev_major != 0;
}

static int ask(void *path) {
    char byte;
    struct kernel_file file;
    long fd = kernel_open_to_read(path);
    if (fd >= 0 && kernel_look_at((int)fd, &file) == 0 && file.is_regular) kernel_read((int)fd, &byte, 1);
    return 0;
}

/* Whether the child has ended: the kernel clears the word then. */
static int ends(uint32_t *child, int milliseconds) {
    struct timespec limit;
    kernel_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&limit, 0, 0, 0, 0);
    limit.tv_sec += milliseconds / 1000;
    limit.tv_nsec += milliseconds % 1000 * 1000000L;
    if (limit.tv_nsec >= 1000000000) {
        limit.tv_sec++;
        limit.tv_nsec -= 1000000000;
    }
    while (__atomic_load_n(child, __ATOMIC_ACQUIRE)) {
        /* The limit is a time, not a length. */
        long result = kernel_call(SYS_futex, (long)child, FUTEX_WAIT_BITSET, 1, (long)&limit, 0,
                                  FUTEX_BITSET_MATCH_ANY);
        if (result == -ETIMEDOUT) return 0;
    }
    return 1;
}

int file_answers(const char *path, int milliseconds) {
    /* Beside its word. */
    enum { STACK_SIZE = 16384 };
    if (process_is_confined() || is_filtered() || is_at_hand(path)) return 1;
    long memory = kernel_map(STACK_SIZE);
    if (memory < 0) return 1;
    uint32_t *word = (uint32_t *)memory;
    *word = 1;
    int child = REAL(clone)(ask, (char *)memory + STACK_SIZE, CLONE_VM | CLONE_CHILD_CLEARTID, (void *)path, NULL, NULL,
                            word);
    int has_ended = child < 0 || ends(word, milliseconds);
    if (!has_ended) {
        kernel_call(SYS_kill, child, SIGKILL, 0, 0, 0, 0);
        /* What not even that ends keeps its memory. */
        if (!ends(word, milliseconds)) return 0;
    }
    if (child >= 0) kernel_call(SYS_wait4, child, 0, __WCLONE, 0, 0, 0);
    kernel_unmap((void *)memory, STACK_SIZE);
    return has_ended;
}
