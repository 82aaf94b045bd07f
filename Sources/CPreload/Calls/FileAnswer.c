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

#include "CKernel.h"
#include "ProcessIdentity.h"
#include "ProcessState.h"
#include "RealLibC.h"

/* Whether the process was started under a filter (seccomp(2)), which may answer a call by ending it. */
static int is_filtered(void) {
    return kernel_call(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0, 0) != 0;
}

/* Of Linux 6.8 (statmount(2)). */
enum { MOUNT_ID_UNIQUE = 0x4000, SYSTEM_OF_MOUNT = 1, SYS_STATMOUNT = 457 };
struct mount_request {
    uint32_t size, unused;
    uint64_t mount, wanted;
};
struct mount_answer {
    uint32_t size, unused;
    uint64_t mask;
    uint32_t device[2];
    uint64_t file_system;
    uint32_t others[120];
};

/* File systems whose files come from another machine, or another program. */
static int is_remote(uint64_t file_system) {
    static const uint32_t remote[] = {
        0x65735546 /* FUSE */, 0x6969 /* NFS */, 0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */, 0x517b /* SMB */,
        0x00c36400 /* Ceph */, 0x5346414f /* AFS */, 0x6b414653 /* kAFS */, 0x01021997 /* 9P */, 0x0187 /* autofs */,
        0x73757245 /* Coda */, 0x0bd00bd0 /* Lustre */, 0x47504653 /* GPFS */, 0x7461636f /* OCFS2 */,
        0x01161970 /* GFS2 */,
    };
    for (size_t index = 0; index < sizeof remote / sizeof *remote; index++)
        if (remote[index] == file_system) return 1;
    return 0;
}

/* For kernels without statmount(2): a file system without a device of its own may be remote. */
static int may_be_remote(const struct statx *status) {
    struct mount_request request = {.size = sizeof request, .mount = status->stx_mnt_id, .wanted = SYSTEM_OF_MOUNT};
    struct mount_answer answer = {0};
    if (status->stx_dev_major != 0) return 0;
    if (!(status->stx_mask & MOUNT_ID_UNIQUE)) return 1;
    if (kernel_call(SYS_STATMOUNT, (long)&request, (long)&answer, sizeof answer, 0, 0, 0) < 0) return 1;
    return !(answer.mask & SYSTEM_OF_MOUNT) || is_remote(answer.file_system);
}

/* Whether the path is in the kernel's cache, and leads to a file of this machine or to none. */
static int is_at_hand(const char *path) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED};
    long fd = kernel_call(SYS_openat2, AT_FDCWD, (long)path, (long)&how, sizeof how, 0, 0);
    if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES) return 1;
    if (fd < 0) return 0;
    struct statx status;
    long result =
        kernel_call(SYS_statx, fd, (long)"", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, MOUNT_ID_UNIQUE, (long)&status, 0);
    int is_at_hand = result == 0 && !may_be_remote(&status);
    kernel_close((int)fd);
    return is_at_hand;
}

static int ask(void *path) {
    char byte;
    struct kernel_file file;
    /* If the child never ends, it must not keep the program's pipes open. */
    kernel_call(SYS_close_range, 0, ~0U, 0, 0, 0, 0);
    long fd = kernel_open_to_read(path);
    if (fd >= 0 && kernel_look_at((int)fd, &file) == 0 && file.is_regular) kernel_read((int)fd, &byte, 1);
    return 0;
}

/* Whether the child has ended, which clears the word. */
static int ends(uint32_t *child, int milliseconds) {
    /* Signals are blocked on the library's stack: only the child's end interrupts the wait. */
    struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    while (__atomic_load_n(child, __ATOMIC_ACQUIRE))
        if (kernel_call(SYS_futex, (long)child, FUTEX_WAIT, 1, (long)&limit, 0, 0) == -ETIMEDOUT) return 0;
    return 1;
}

/* Lies at the lower end of the child's stack, which the child keeps until its end. */
struct child {
    uint32_t is_alive;
    int number;
    /* The parent. A later fork has a copy of this memory, and does not learn of the end. */
    int process;
};
enum { STACK_SIZE = 16384 };
/* A child that survives SIGKILL: a request to a FUSE server waits for its answer. */
static struct child *left;

static void bury(struct child *child) {
    if (child->number > 0 && child->process == process_own_id())
        kernel_call(SYS_wait4, child->number, 0, __WCLONE, 0, 0, 0);
    kernel_unmap(child, STACK_SIZE);
}

static void leave(struct child *child) {
    struct child *none = NULL;
    /* If two threads leave such a child, the first is forgotten. */
    __atomic_compare_exchange_n(&left, &none, child, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Whether such a child still lives. */
static int is_any_left(void) {
    struct child *child = __atomic_exchange_n(&left, NULL, __ATOMIC_ACQ_REL);
    if (!child) return 0;
    if (child->process != process_own_id() || !__atomic_load_n(&child->is_alive, __ATOMIC_ACQUIRE)) {
        bury(child);
        return 0;
    }
    leave(child);
    return 1;
}

int file_answers(const char *path, int milliseconds) {
    if (process_is_confined() || is_filtered() || is_at_hand(path)) return 1;
    if (is_any_left()) return 0;
    long memory = kernel_map(STACK_SIZE);
    if (memory < 0) return 1;
    struct child *child = (struct child *)memory;
    child->is_alive = 1;
    child->process = process_own_id();
    child->number = REAL(clone)(ask, (char *)memory + STACK_SIZE, CLONE_VM | CLONE_CHILD_CLEARTID, (void *)path, NULL,
                                NULL, &child->is_alive);
    if (child->number < 0 || ends(&child->is_alive, milliseconds)) {
        bury(child);
        return 1;
    }
    kernel_call(SYS_kill, child->number, SIGKILL, 0, 0, 0, 0);
    if (ends(&child->is_alive, 50))
        bury(child);
    else
        leave(child);
    return 0;
}
